"""Gradients through many layers: the factor a layer, and where it is one."""

import math
from statistics import fmean

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability.draws import integer, normal, uniform

SIGMOID = Exercise("critical-sigmoid", chapter="gradient-stability", minutes=30)
SWEEP = Exercise("depth-sweep", chapter="gradient-stability", minutes=20)


def _moments(q: float) -> tuple[float, float, float]:
    """E[φ²], E[φ'²] and E[φ']² of the sigmoid at pre-activations of variance q, by the trapezoidal rule."""
    z = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    density = torch.exp(-(z**2) / 2)
    density /= density.sum()
    value = torch.sigmoid(math.sqrt(q) * z)
    slope = value * (1 - value)
    return density.dot(value**2).item(), density.dot(slope**2).item(), density.dot(slope).item() ** 2


def _critical(bias_variance: float) -> float:
    """σ_w with χ = 1, by bisection; for each σ_w the variance is iterated to its fixed point."""
    low, high = 1.0, 30.0
    while high - low > 1e-7:
        sigma_w, q = (low + high) / 2, 1.0
        for _ in range(30):
            q = sigma_w**2 * _moments(q)[0] + bias_variance
        low, high = (sigma_w, high) if sigma_w**2 * _moments(q)[1] < 1 else (low, sigma_w)
    return low


@SIGMOID.part(points=3)
def keeps_the_gradient_without_biases(answer: Answer, generator: Generator) -> None:
    value = _critical(0.0)
    answer.expect(
        0.0, value=value, relative=1e-3,
        mistakes={
            "four is the inverse of the largest slope; most units have a smaller one": 4.0,
            "this keeps the gradient at pre-activations of variance one, but the variance does not stay there":
                1 / math.sqrt(_moments(1.0)[1]),
            "this holds at pre-activations near zero only": 1 / math.sqrt(_moments(0.0)[1]),
            "this is the variance; the standard deviation is asked for": value**2,
            "this is the root of the standard deviation": math.sqrt(value),
        },
    )  # fmt: skip


@SIGMOID.part(points=2)
def keeps_the_gradient_with_biases(answer: Answer, generator: Generator) -> None:
    for bias_std in (uniform(2, 3, generator), uniform(3, 5, generator)):
        answer.expect(
            bias_std, value=_critical(bias_std**2), relative=1e-3,
            mistakes={
                "the biases are ignored": _critical(0.0),
                "bias_std is the standard deviation, not the variance": _critical(bias_std),
            },
        )  # fmt: skip


def _log_factor(activation: str, sigma_w: float, depth: int, width: int, generator: Generator) -> tuple[float, float]:
    """Logarithm of the factor a layer, of the gradient from last to first layer and of the activations."""
    h, slopes, weights, outputs = normal(width, generator=generator), [], [], []
    for _ in range(depth):
        weights.append(normal(width, width, generator=generator) * sigma_w / math.sqrt(width))
        z = weights[-1] @ h
        h = torch.sigmoid(z) if activation == "sigmoid" else z
        slopes.append(h * (1 - h) if activation == "sigmoid" else torch.ones_like(z))
        outputs.append(h)
    last = gradient = normal(width, generator=generator)
    for weight, slope in zip(reversed(weights[1:]), reversed(slopes[:-1])):
        gradient = slope * (weight.T @ gradient)
    return tuple(math.log(a.norm() / b.norm()) / (depth - 1) for a, b in ((gradient, last), (h, outputs[0])))


def _expect_factor(answer: Answer, activation: str, sigma_w: float, generator: Generator) -> None:
    """Compare the mean over seeds with that of networks drawn here."""
    depth, width = integer(8, 10, generator), 200
    seeds = [integer(0, 10**6, generator) for _ in range(16)]
    factors = [answer.number(activation, sigma_w, depth, width, seed) for seed in seeds]
    if factors[0] != answer.number(activation, sigma_w, depth, width, seeds[0]):
        raise Mistake("the same seed must give the same factor")
    if min(factors) <= 0:
        raise Mistake("a ratio of norms is positive")
    got, slope = fmean(map(math.log, factors)), math.log(0.25)
    runs = [_log_factor(activation, sigma_w, depth, width, generator) for _ in seeds]
    true, forward = map(fmean, zip(*runs))
    named = {
        "a quarter is the largest slope of the sigmoid: the weights count as well": slope,
        "this is the slope of the sigmoid times the mean-square weight, not a measured gradient": slope
        + math.log(sigma_w),
        "this is the factor of the squared norm": 2 * true,
        "this is the factor of the whole stack, not of one layer": (depth - 1) * true,
        "from the last pre-activation to the first there are depth - 1 steps": true * (depth - 1) / depth,
        "this is the growth towards the output; a gradient travels to the input": -true,
        "this is the factor of the activations, not of the gradient": forward,
        "the weights have the standard deviation sigma_w / sqrt(width)": true + 0.5 * math.log(width),
        "sigma_w is a standard deviation, not a variance": true - 0.5 * math.log(sigma_w),
        "the slopes of the activation are missing": math.log(sigma_w),
    }
    if abs(got - true) > 0.04:
        reasons = [reason for reason, wrong in named.items() if abs(got - wrong) < 0.04 + 0.03 * abs(wrong)]
        reasons.append(f"the mean over seeds is too {'large' if got > true else 'small'}")
        raise Mistake(f"{activation}, depth {depth}: {reasons[0]}")
    if len(set(factors)) == 1:
        raise Mistake("all seeds give the same factor: measure it in a random network")


@SWEEP.part(points=2)
def measures_linear_networks(answer: Answer, generator: Generator) -> None:
    low, high = ((0.3, 0.4), (2.5, 3.3))[integer(0, 1, generator)]
    _expect_factor(answer, "linear", uniform(low, high, generator), generator)


@SWEEP.part(points=2)
def measures_sigmoid_networks(answer: Answer, generator: Generator) -> None:
    _expect_factor(answer, "sigmoid", uniform(1.5, 2.2, generator), generator)
