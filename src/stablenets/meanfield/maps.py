"""What one layer does to variances, correlations and squared gradients."""

import math

import torch
from torch import Tensor

from stablenets._arguments import non_negative, positive, positive_integer, within
from stablenets.activations import Activation, resolve
from stablenets.meanfield.quadrature import derivative, expectation, pair_expectation


def second_moment(activation: str | Activation, q: float = 1.0) -> float:
    """Return E[φ(x)²] for x ~ N(0, q).

    >>> round(second_moment("tanh"), 4)
    0.3943
    """
    function = resolve(activation)
    return expectation(lambda x: function(x) ** 2, non_negative("q", q))


def derivative_moment(activation: str | Activation, q: float = 1.0) -> float:
    """Return E[φ′(x)²] for x ~ N(0, q); at q = 0 its limit, which for a kink at 0 is the mean of both sides.

    >>> round(derivative_moment("relu", 0.0), 4)
    0.5
    """
    slope = derivative(activation)
    return expectation(lambda x: slope(x) ** 2, max(non_negative("q", q), 1e-200))


def gain(activation: str | Activation, q: float = 1.0) -> float:
    """Return the gain σ_w that keeps the variance q from layer to layer without biases: √(q / E[φ²]).

    At q = 1, where it is 1/√E[φ²], it is He's √2 for ReLU (He et al. 2015). `torch.nn.init.calculate_gain` knows
    neither GELU nor SiLU, and its 5/3 for tanh keeps q = 1.18, not 1.

    >>> round(gain("relu"), 4), round(gain("tanh"), 4), round(gain("gelu"), 4)
    (1.4142, 1.5925, 1.5335)
    """
    return math.sqrt(positive("q", q) / positive("E[φ²]", second_moment(activation, q)))


def variance_map(activation: str | Activation, q: float, weight_variance: float, bias_variance: float = 0.0) -> float:
    """Return the variance after one layer, V(q) = σ_w² E[φ(x)²] + σ_b² (Poole et al. 2016).

    >>> round(variance_map("relu", 3.0, weight_variance=2.0), 4)
    3.0
    """
    bias_variance = non_negative("bias_variance", bias_variance)
    return positive("weight_variance", weight_variance) * second_moment(activation, q) + bias_variance


def correlation_map(
    activation: str | Activation, correlation: float, q: float, weight_variance: float, bias_variance: float = 0.0
) -> float:
    """Return the correlation after one layer of two inputs of equal variance q > 0 and the given correlation c.

    C(c) = (σ_w² E[φ(x) φ(y)] + σ_b²) / V(q), where x, y ~ N(0, q) have correlation c (Poole et al. 2016). We divide by
    V(q) instead of q*, so that the value is a correlation off the fixed point too.

    >>> round(correlation_map("relu", 0.0, q=1.0, weight_variance=2.0), 4)  # 1/π
    0.3183
    """
    variance = variance_map(activation, positive("q", q), weight_variance, bias_variance)
    covariance = weight_variance * pair_expectation(resolve(activation), correlation, q) + bias_variance
    return max(-1.0, min(1.0, covariance / positive("V(q)", variance)))  # rounding must not leave the range


def chi(activation: str | Activation, q: float, weight_variance: float) -> float:
    """Return χ = σ_w² E[φ′(x)²], the factor by which one layer multiplies squared gradients (Schoenholz et al. 2017).

    >>> round(chi("sigmoid", q=1.0, weight_variance=1.0), 4)
    0.0448
    """
    return positive("weight_variance", weight_variance) * derivative_moment(activation, q)


def variance_trajectory(
    activation: str | Activation, q: float, weight_variance: float, bias_variance: float = 0.0, *, depth: int
) -> Tensor:
    """Return q⁰ … q^L, shape ``(depth + 1,)``: the variance map applied ``depth`` times.

    >>> variance_trajectory("relu", 1.0, weight_variance=1.0, depth=3)
    tensor([1.0000, 0.5000, 0.2500, 0.1250], dtype=torch.float64)
    """
    variances = [non_negative("q", q)]
    for _ in range(positive_integer("depth", depth)):
        variances.append(variance_map(activation, variances[-1], weight_variance, bias_variance))
    return torch.tensor(variances, dtype=torch.float64)


def correlation_trajectory(
    activation: str | Activation,
    correlation: float,
    q: float,
    weight_variance: float,
    bias_variance: float = 0.0,
    *,
    depth: int,
) -> Tensor:
    """Return c⁰ … c^L, shape ``(depth + 1,)``, while the common variance q moves by its own map.

    >>> correlation_trajectory("relu", 0.0, 1.0, weight_variance=2.0, depth=2)
    tensor([0.0000, 0.3183, 0.4937], dtype=torch.float64)
    """
    correlations = [within("correlation", correlation, -1, 1)]
    for variance in variance_trajectory(activation, q, weight_variance, bias_variance, depth=depth)[:-1].tolist():
        correlations.append(correlation_map(activation, correlations[-1], variance, weight_variance, bias_variance))
    return torch.tensor(correlations, dtype=torch.float64)
