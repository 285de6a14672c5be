"""The factor a layer of the gradient, in linear and sigmoid networks."""

import math
from statistics import fmean

from torch import Generator

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, uniform
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability._sigmoid import moments

exercise = Exercise.of(__name__, minutes=20)


def _log_factors(activation: str, sigma_w: float, depth: int) -> tuple[float, float]:
    """Expected ln of the factor a layer in a wide network: of the gradient and of the activations' norm."""
    if activation == "linear":
        return math.log(sigma_w), math.log(sigma_w)
    q, squares, slopes = sigma_w**2, [], []
    for _ in range(depth):
        square, slope = moments(q)
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


@exercise.part("measures linear networks", points=2)
def linear_networks(answer: Answer, generator: Generator) -> None:
    _expect_factor(answer, "linear", uniform(2.5, 3.3, generator), generator)


@exercise.part("measures sigmoid networks", points=2)
def sigmoid_networks(answer: Answer, generator: Generator) -> None:
    _expect_factor(answer, "sigmoid", uniform(1.5, 2.2, generator), generator)
