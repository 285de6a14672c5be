"""Gradients through many layers: the factor a layer, and where it is one."""

import math
from statistics import fmean

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import gaussian, integer, uniform
from stablenets.checks.exercise import Exercise

SIGMOID = Exercise("critical-sigmoid", chapter="gradient-stability", minutes=30)
SWEEP = Exercise("depth-sweep", chapter="gradient-stability", minutes=20)


def _moments(q: float) -> tuple[float, float]:
    """E[φ²] and E[φ'²] of the sigmoid at pre-activations of variance q, by the trapezoidal rule."""
    z, p = gaussian(points=601)
    value = torch.sigmoid(math.sqrt(q) * z)
    slope = value * (1 - value)
    return p.dot(value**2).item(), p.dot(slope**2).item()


def _critical(bias_variance: float) -> float:
    """σ_w with χ = 1, by bisection; the variance is iterated along, to its fixed point for each σ_w."""
    low, high, q = 1.0, 30.0, 1.0
    while high - low > 1e-5:
        sigma_w = (low + high) / 2
        for _ in range(8):
            q = sigma_w**2 * _moments(q)[0] + bias_variance
        low, high = (sigma_w, high) if sigma_w**2 * _moments(q)[1] < 1 else (low, sigma_w)
    return low


def _expect_critical(answer: Answer, bias_std: float, mistakes: dict[str, float]) -> None:
    value = _critical(bias_std**2)
    if 1e-3 < abs(answer.number(bias_std) / value - 1) < 0.02:
        raise Mistake(f"{answer.call(bias_std)} is close: the slope is a narrow peak, integrate it on a finer grid")
    answer.expect(bias_std, value=value, relative=1e-3, mistakes=mistakes)


@SIGMOID.part(points=3)
def keeps_the_gradient_without_biases(answer: Answer, generator: Generator) -> None:
    mistakes = {
        "four is the inverse of the largest slope; most units have a smaller one": 4.0,
        "this keeps the gradient at pre-activations of variance one, but the variance does not stay there":
            1 / math.sqrt(_moments(1.0)[1]),
        "this is the variance; the standard deviation is asked for": _critical(0.0) ** 2,
        "this is the root of the standard deviation": math.sqrt(_critical(0.0)),
    }  # fmt: skip
    _expect_critical(answer, 0.0, mistakes)


@SIGMOID.part(points=2)
def keeps_the_gradient_with_biases(answer: Answer, generator: Generator) -> None:
    for bias_std in (uniform(2.5, 3.5, generator), uniform(3.5, 5, generator)):
        mistakes = {
            "the biases are ignored": _critical(0.0),
            "this is the variance; the standard deviation is asked for": _critical(bias_std**2) ** 2,
            "bias_std is the standard deviation, not the variance": _critical(bias_std),
        }
        _expect_critical(answer, bias_std, mistakes)


def _log_factors(activation: str, sigma_w: float, depth: int) -> tuple[float, float]:
    """Expected ln of the factor a layer in a wide network: of the gradient and of the activations' norm."""
    if activation == "linear":
        return math.log(sigma_w), math.log(sigma_w)
    q, squares, slopes = sigma_w**2, [], []
    for _ in range(depth):
        square, slope = _moments(q)
        squares.append(square)
        slopes.append(0.5 * math.log(sigma_w**2 * slope))
        q = sigma_w**2 * square
    # The slopes that the gradient meets are those of all layers but the last.
    return fmean(slopes[:-1]), 0.5 * math.log(squares[-1] / squares[0]) / (depth - 1)


def _expect_factor(answer: Answer, activation: str, sigma_w: float, generator: Generator) -> None:
    """Compare the mean over networks with that of infinite width; both its bias and its scatter are near 0.01."""
    depth, width = integer(7, 9, generator), 128
    seeds = [integer(0, 10**6, generator) for _ in range(12)]
    factors = [answer.number(activation, sigma_w, depth, width, seed) for seed in seeds]
    if factors[0] != answer.number(activation, sigma_w, depth, width, seeds[0]):
        raise Mistake("the same seed must give the same factor")
    if min(factors) <= 0:
        raise Mistake("a ratio of norms is positive")
    got, slope = fmean(map(math.log, factors)), math.log(0.25)
    true, forward = _log_factors(activation, sigma_w, depth)
    named = {
        "a quarter is the largest slope of the sigmoid: the weights count as well": slope,
        "this is the largest slope times the weights; the slopes vary": slope + math.log(sigma_w),
        "this is the factor of the squared norm": 2 * true,
        "this is the factor of the whole stack, not of one layer": (depth - 1) * true,
        "from the last pre-activation to the first there are depth - 1 steps": true * (depth - 1) / depth,
        "this is the growth towards the output; a gradient travels to the input": -true,
        "this is the factor of the activations, not of the gradient": forward,
        "the weights have the standard deviation sigma_w / sqrt(width)": true + 0.5 * math.log(width),
        "sigma_w is a standard deviation, not a variance": true - 0.5 * math.log(sigma_w),
        "the slopes of the activation are missing": math.log(sigma_w),
    }
    if abs(got - true) > 0.05:
        reasons = [reason for reason, wrong in named.items() if abs(got - wrong) < 0.05 + 0.03 * abs(wrong)]
        reasons.append(f"the mean over seeds is too {'large' if got > true else 'small'}")
        raise Mistake(f"{activation}, depth {depth}: {reasons[0]}")
    if len(set(factors)) == 1:
        raise Mistake("all seeds give the same factor: measure it in a random network")


@SWEEP.part(points=2)
def measures_linear_networks(answer: Answer, generator: Generator) -> None:
    _expect_factor(answer, "linear", uniform(2.5, 3.3, generator), generator)


@SWEEP.part(points=2)
def measures_sigmoid_networks(answer: Answer, generator: Generator) -> None:
    _expect_factor(answer, "sigmoid", uniform(1.5, 2.2, generator), generator)
