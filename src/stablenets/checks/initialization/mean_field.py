"""Checks of the exercises on mean-field theory and on what it leaves out."""

import math

import numpy as np
import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import gaussian, integer, log_uniform
from stablenets.checks.exercise import Exercise

CRITICAL = Exercise("critical-weights", chapter="initialization", minutes=25)


def _critical_tanh(q: float) -> tuple[float, float]:
    """The variances of weights and biases that keep q with χ = 1."""
    z, p = gaussian()
    h = torch.tanh(math.sqrt(q) * z)
    weight_variance = 1 / (p @ (1 - h.square()).square()).item()
    return weight_variance, q - weight_variance * (p @ h.square()).item()


def _expect_critical(answer: Answer, bias_variance: float) -> None:
    def solve(target: float) -> float:
        low, high = 0.0, 4.0
        for _ in range(50):
            q = (low + high) / 2
            low, high = (q, high) if _critical_tanh(q)[1] < target else (low, q)
        return _critical_tanh(q)[0]

    z, p = gaussian()
    value = solve(bias_variance)
    mistakes = {
        "that is critical only without biases": 1.0,
        "that is σ_w; its square is asked for": math.sqrt(value),
        "bias_variance is σ_b² already: do not square it": solve(bias_variance**2),
        "χ must be one at the variance q* that the layers settle at, not at q = 1": _critical_tanh(1.0)[0],
        "that keeps the variance q = 1, but χ is not one there": 1 / (p @ torch.tanh(z).square()),
        "that is He's rule, which is for ReLU": 2.0,
        "that is PyTorch's gain for tanh, squared: with it χ is above one": 25 / 9,
    }
    answer.expect(bias_variance, value=value, relative=1e-3, mistakes=mistakes)


@CRITICAL.part(points=3)
def chi_is_one_at_the_fixed_point(answer: Answer, generator: Generator) -> None:
    # Between the two ranges some known mistakes happen to give the same number.
    _expect_critical(answer, log_uniform(0.02, 0.06, generator))
    _expect_critical(answer, log_uniform(0.12, 0.3, generator))


@CRITICAL.part(points=2)
def chi_is_one_with_hardly_any_bias(answer: Answer, generator: Generator) -> None:
    _expect_critical(answer, log_uniform(1e-4, 1e-3, generator))


DEPTH = Exercise("depth-scale", chapter="initialization", minutes=30)


def _slopes(weight_variance: float, bias_variance: float) -> tuple[float, float, float]:
    """The slopes of the correlation map of tanh at its fixed point and at 1, and that of the variance map."""
    z, p = gaussian(limit=7.0, points=81)

    def variance(q: float) -> float:
        return weight_variance * (p @ torch.tanh(math.sqrt(q) * z).square()).item() + bias_variance

    q, c = 1.0, 0.5
    for _ in range(300):
        q = variance(q)
    first = torch.tanh(math.sqrt(q) * z)

    def correlation(c: float) -> float:
        second = torch.tanh(math.sqrt(q) * (c * z[:, None] + math.sqrt(max(1 - c * c, 0.0)) * z))
        return (weight_variance * (p * first @ second @ p).item() + bias_variance) / q

    for _ in range(300):
        c = correlation(c)
    slopes = (
        # One-sided, second order: beyond c = 1 there is nothing to measure.
        (3 * f(at) - 4 * f(at - h) + f(at - 2 * h)) / (2 * h)
        for f, at, h in ((correlation, c, 1e-3), (correlation, 1.0, 1e-3), (variance, q, 1e-3))
    )
    return tuple(slopes)


def _expect_depth_scale(answer: Answer, weight_variance: float, bias_variance: float) -> None:
    slope, chi, variance_slope = _slopes(weight_variance, bias_variance)
    value = -1 / math.log(slope)
    mistakes = {
        "χ is the slope at correlation 1, which in the chaotic phase is not the fixed point": -1 / math.log(chi),
        "χ is the slope at correlation 1: in the chaotic phase no inputs settle there": 1 / math.log(chi),
        "that is the depth scale of the variance": -1 / math.log(variance_slope),
        "the weight variance is missing in the slope": -1 / math.log(slope / weight_variance),
        "a factor e per depth scale: use the natural logarithm": -1 / math.log10(slope),
        "1 − slope stands for −ln(slope) only close to the critical line": 1 / (1 - slope),
        "six depth scales are the trainable depth": 6 * value,
    }
    scale = Value(answer, 0, "depth scale", shapes=[(), (1,)])
    scale.expect(weight_variance, bias_variance, [30], value=value, relative=5e-3, mistakes=mistakes)


@DEPTH.part(points=2)
def depth_scale_in_the_ordered_phase(answer: Answer, generator: Generator) -> None:
    _expect_depth_scale(answer, log_uniform(0.8, 1.4, generator), log_uniform(0.03, 0.1, generator))


@DEPTH.part(points=3)
def depth_scale_in_the_chaotic_phase(answer: Answer, generator: Generator) -> None:
    _expect_depth_scale(answer, log_uniform(2.4, 4.0, generator), log_uniform(0.03, 0.1, generator))


@DEPTH.part(points=1)
def trainable_depths(answer: Answer, generator: Generator) -> None:
    for weight_variance in (log_uniform(0.8, 1.4, generator), log_uniform(2.4, 4.0, generator)):
        limit = -6 / math.log(_slopes(weight_variance, 0.05)[0])
        depths = [max(1, round(limit * factor)) for factor in (0.2, 0.7, 0.9, 1.1, 1.6, 7.0)]
        verdicts = answer.tensors(weight_variance, 0.05, depths, shapes=[(), (6,)])[1]
        if not torch.equal(verdicts > 0.5, torch.tensor([depth <= limit for depth in depths])):
            call = answer.call(weight_variance, 0.05, depths)
            raise Mistake(f"{call}: a depth is trainable if and only if it is at most six depth scales")


FINITE = Exercise("finite-width", chapter="initialization", minutes=25)


def _layer_factors(slope: float, width: int, generator: Generator) -> Tensor:
    """Factors by which 100 000 layers of random weights multiply the second moment of their input."""
    rng = np.random.default_rng(integer(0, 2**31, generator))
    # A random number of pre-activations is positive; the sums of squares on either side of zero are chi-square.
    positive = rng.binomial(width, 0.5, 100_000)
    squares = rng.chisquare(positive) + slope**2 * rng.chisquare(width - positive)
    return torch.from_numpy(squares) * 2 / (1 + slope**2) / width


@FINITE.part(points=3)
def variance_of_the_logarithm(answer: Answer, generator: Generator) -> None:
    for slope in (0.0, 1.0, log_uniform(0.4, 0.8, generator)):
        width, depth = integer(400, 600, generator), integer(20, 200, generator)
        value = depth * _layer_factors(slope, width, generator).log().var()
        mistakes = {
            "mean field keeps q exactly, but only at infinite width": 0.0,
            "that is the variance of one layer: the logarithms of the layers add up": value / depth,
            "a weight counts with its fourth moment, too: try it with slope 1, where q is a chi-square": depth / width,
            "half of the units of a ReLU layer are silent, which adds variance": 2 * depth / width,
            "that is right for ReLU only": 5 * depth / width,
            "the square of the mean is missing in the variance of φ²": value + depth / width,
            "that is the standard deviation": value.sqrt(),
        }
        variance = Value(answer, 1, "variance")
        variance.expect(slope, width, depth, value=value, relative=0.04, absolute=1e-9, mistakes=mistakes)


@FINITE.part(points=2)
def mean_of_the_logarithm(answer: Answer, generator: Generator) -> None:
    for slope in (0.0, 1.0, log_uniform(0.4, 0.8, generator)):
        width, depth = integer(400, 600, generator), integer(20, 200, generator)
        factors = _layer_factors(slope, width, generator)
        # A factor has mean 1 exactly; subtracting its deviation leaves the same mean with far less noise.
        value = depth * (factors.log() - (factors - 1)).mean()
        mistakes = {
            "q keeps its mean, but the mean of ln q lies below ln of the mean": 0.0,
            "the logarithm is concave: its mean is negative": -value,
            "half of the second derivative counts": 2 * value,
            "that is the mean for one layer": value / depth,
        }
        Value(answer, 0, "mean").expect(slope, width, depth, value=value, relative=0.04, mistakes=mistakes)
