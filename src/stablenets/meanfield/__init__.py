"""Mean-field theory of wide random networks: which depths a signal and its gradient can cross.

A layer is h = W φ(x) + b with weights N(0, σ_w²/fan_in) and biases N(0, σ_b²). As the width grows, pre-activations
become Gaussian with variance q, those of two inputs have a correlation c, and both obey one-dimensional maps
(Poole et al. 2016).

Everywhere: ``activation`` is a name or an elementwise callable, ``q`` ≥ 0 the variance of a pre-activation,
``weight_variance`` is σ_w² > 0, ``bias_variance`` is σ_b² ≥ 0, ``correlation`` is in [−1, 1]. Numbers are float64, and
a ValueError names the argument that is out of range.
"""

from stablenets.meanfield.critical import (
    CriticalPoint,
    DepthScales,
    correlation_fixed_point,
    critical_at,
    critical_point,
    depth_scales,
    variance_fixed_point,
)
from stablenets.meanfield.maps import (
    chi,
    correlation_map,
    correlation_trajectory,
    derivative_moment,
    gain,
    second_moment,
    variance_map,
    variance_trajectory,
)
from stablenets.meanfield.quadrature import expectation, pair_expectation

__all__ = [
    "CriticalPoint",
    "DepthScales",
    "chi",
    "correlation_fixed_point",
    "correlation_map",
    "correlation_trajectory",
    "critical_at",
    "critical_point",
    "depth_scales",
    "derivative_moment",
    "expectation",
    "gain",
    "pair_expectation",
    "second_moment",
    "variance_fixed_point",
    "variance_map",
    "variance_trajectory",
]
