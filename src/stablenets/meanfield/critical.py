"""Where the maps of a layer come to rest: fixed points, the critical line χ = 1, and depth scales."""

import math
from collections.abc import Callable
from typing import NamedTuple

from stablenets._arguments import non_negative, positive
from stablenets.activations import Activation, resolve
from stablenets.meanfield.maps import chi, correlation_map, derivative_moment, second_moment, variance_map
from stablenets.meanfield.quadrature import derivative, expectation, pair_expectation

_VANISHING, _DIVERGING = 1e-12, 1e12  # a variance outside this range is on its way to 0 or to infinity
_ROUNDING = 1e-13  # a difference of variances this small against q is rounding, not a sign
_CRITICAL = 1e-7  # a slope this close to 1 counts as 1: it would take ten million layers to tell


class CriticalPoint(NamedTuple):
    """Variances of weights and biases that keep the variance q with χ = 1."""

    weight_variance: float
    bias_variance: float
    q: float


class DepthScales(NamedTuple):
    """The fixed point (q*, χ, c*), and the numbers of layers in which a distance to q* and to c* shrinks e-fold."""

    q: float
    chi: float
    correlation: float
    variance_scale: float
    correlation_scale: float


def variance_fixed_point(activation: str | Activation, weight_variance: float, bias_variance: float = 0.0) -> float:
    """Return q*, where the variance map leads from q = 1; 0 where the signal dies (q* < 1e-12).

    Where every q is kept (ReLU at σ_w² = 2), that is 1. Meant for a map V that increases, as it does for every named
    activation; two fixed points within a factor √2 of each other can be stepped over.

    >>> round(variance_fixed_point("tanh", weight_variance=2.5, bias_variance=0.05), 4)
    1.064

    Raises:
        ValueError: the variance grows without bound.
    """
    q = _downward_crossing(lambda q: variance_map(activation, q, weight_variance, bias_variance) - q)
    if q == math.inf:
        raise ValueError(
            f"weight_variance and bias_variance must let the variance converge, got {weight_variance!r} and "
            f"{bias_variance!r}: with {activation!r} it grows without bound"
        )
    return q


def correlation_fixed_point(activation: str | Activation, weight_variance: float, bias_variance: float = 0.0) -> float:
    """Return c*, to which the correlation of two inputs of variance q* tends: 1 in order (χ ≤ 1), less in chaos.

    On [0, 1] the map C is a power series with coefficients ≥ 0, hence convex, with C(0) ≥ 0 and C(1) = 1. Its slope at
    1 is χ: above 1 there is exactly one more fixed point, and Newton's method climbs to it from 0 without overshooting.

    >>> round(correlation_fixed_point("tanh", weight_variance=2.5, bias_variance=0.05), 4)
    0.4468

    Raises:
        ValueError: the variance dies out, so that c* is not defined, or grows without bound.
    """
    q = variance_fixed_point(activation, weight_variance, bias_variance)
    if q == 0:
        raise ValueError(
            f"weight_variance must keep the signal alive, got {weight_variance!r}: with {activation!r}, q* = 0"
        )
    if chi(activation, q, weight_variance) <= 1 + _CRITICAL:
        return 1.0
    correlation, step = 0.0, math.inf
    while step > 1e-15:  # in exact arithmetic the steps are positive and shrink; rounding ends them
        excess = correlation_map(activation, correlation, q, weight_variance, bias_variance) - correlation
        step = excess / (1 - _correlation_slope(activation, correlation, q, weight_variance))
        correlation += max(step, 0.0)
    return correlation


def critical_at(activation: str | Activation, q: float) -> CriticalPoint:
    """Return the variances that keep q with χ = 1: σ_w² = 1 / E[φ′²] and σ_b² = q − σ_w² E[φ²].

    It is not asked whether q is stable: for GELU it is not at q = 1, where V has the slope 1.067.

    >>> [round(value, 4) for value in critical_at("gelu", 5.0)]
    [1.9663, 0.2144, 5.0]

    Raises:
        ValueError: σ_b² would have to be negative, or φ′ vanishes.
    """
    bias_variance = _critical_bias_variance(activation, q)
    if bias_variance < -1e-12 * q:
        raise ValueError(
            f"q must need a bias_variance ≥ 0, got {q!r}, for which {activation!r} needs {bias_variance:.4g}"
        )
    return CriticalPoint(1 / derivative_moment(activation, q), max(bias_variance, 0.0), float(q))


def critical_point(activation: str | Activation, bias_variance: float) -> CriticalPoint:
    """Return the point of the critical line χ = 1 with the given σ_b² and a stable q (Schoenholz et al. 2017).

    The line is traced by q, as in `critical_at`, and solved for σ_b². ReLU's is the one point σ_b² = 0, σ_w² = 2, which
    keeps every q; q = 1 is returned.

    >>> [round(value, 4) for value in critical_point("tanh", 0.05)]
    [1.761, 0.05, 0.57]

    Raises:
        ValueError: there is no such point, or its q is unstable (GELU with a small σ_b²).
    """
    target = non_negative("bias_variance", bias_variance)
    q = _downward_crossing(lambda q: target - _critical_bias_variance(activation, q))
    if q == math.inf:
        raise ValueError(f"bias_variance must lie on the critical line of {activation!r}, got {bias_variance!r}")
    weight_variance = 1 / derivative_moment(activation, q)
    if _variance_slope(activation, q, weight_variance) > 1 + _CRITICAL:
        raise ValueError(
            f"bias_variance must give a stable variance, got {bias_variance!r}: with {activation!r}, q = {q:.4g} is "
            "unstable (critical_at returns it all the same)"
        )
    return CriticalPoint(weight_variance, target, q)


def depth_scales(activation: str | Activation, weight_variance: float, bias_variance: float) -> DepthScales:
    """Return the fixed point and ξ = −1/ln|slope| of the maps V at q* and C at c* (Schoenholz et al. 2017).

    A slope within 1e-7 of 1 has ξ = ∞: the correlation on the critical line, and the variance of ReLU at σ_w² = 2.

    >>> scales = depth_scales("tanh", weight_variance=1.3, bias_variance=0.05)
    >>> round(scales.chi, 4), round(scales.correlation_scale, 4)
    (0.8802, 7.8341)

    Raises:
        ValueError: the variance dies out or grows without bound.
    """
    correlation = correlation_fixed_point(activation, weight_variance, bias_variance)
    q = variance_fixed_point(activation, weight_variance, bias_variance)
    return DepthScales(
        q,
        chi(activation, q, weight_variance),
        correlation,
        _depth_scale(_variance_slope(activation, q, weight_variance)),
        _depth_scale(_correlation_slope(activation, correlation, q, weight_variance)),
    )


def _critical_bias_variance(activation: str | Activation, q: float) -> float:
    return q - second_moment(activation, q) / positive("E[φ′²]", derivative_moment(activation, q))


def _variance_slope(activation: str | Activation, q: float, weight_variance: float) -> float:
    """V′(q) = σ_w² E[x φ(x) φ′(x)] / q, in which no second derivative has to see a kink."""
    function, slope = resolve(activation), derivative(activation)
    q = max(q, _VANISHING)
    return weight_variance * expectation(lambda x: x * function(x) * slope(x), q) / q


def _correlation_slope(activation: str | Activation, correlation: float, q: float, weight_variance: float) -> float:
    """C′(c) = σ_w² E[φ′(x) φ′(y)] at the fixed point, where V(q) = q."""
    return weight_variance * pair_expectation(derivative(activation), correlation, q)


def _depth_scale(slope: float) -> float:
    if slope == 0:
        return 0.0
    return math.inf if abs(abs(slope) - 1) <= _CRITICAL else -1 / math.log(abs(slope))


def _downward_crossing(function: Callable[[float], float]) -> float:
    """Return the first q where a function falls through 0, from q = 1 towards where it leads; 0 or ∞ if none.

    A positive value leads up, as V(q) − q does in the iteration of V.
    """
    if abs(function(1.0)) <= _ROUNDING:
        return 1.0
    sign = math.copysign(1.0, function(1.0))
    factor = math.sqrt(2) ** sign
    near, far = 1.0, factor
    while sign * function(far) >= -_ROUNDING * far:
        near, far = far, far * factor
        if not _VANISHING < far < _DIVERGING:
            return 0.0 if far < 1 else math.inf
    for _ in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if sign * function(middle) > 0 else (near, middle)
    return near
