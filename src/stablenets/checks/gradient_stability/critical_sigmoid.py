"""The weights at which a sigmoid network keeps its gradient."""

import math

from torch import Generator

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import uniform
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability._sigmoid import moments

exercise = Exercise.of(__name__, minutes=30)


def _critical(bias_variance: float) -> float:
    """σ_w with χ = 1, by bisection; the variance is iterated along, to its fixed point for each σ_w."""
    low, high, q = 1.0, 30.0, 1.0
    while high - low > 1e-5:
        sigma_w = (low + high) / 2
        for _ in range(8):
            q = sigma_w**2 * moments(q)[0] + bias_variance
        low, high = (sigma_w, high) if sigma_w**2 * moments(q)[1] < 1 else (low, sigma_w)
    return low


def _expect_critical(answer: Answer, bias_std: float, mistakes: dict[str, float]) -> None:
    value = _critical(bias_std**2)
    if 1e-3 < abs(answer.number(bias_std) / value - 1) < 0.02:
        raise Mistake(f"{answer.call(bias_std)} is close: the slope is a narrow peak, integrate it on a finer grid")
    answer.expect(bias_std, value=value, relative=1e-3, mistakes=mistakes)


@exercise.part("keeps the gradient without biases", points=3)
def without_biases(answer: Answer, generator: Generator) -> None:
    mistakes = {
        "four is the inverse of the largest slope; most units have a smaller one": 4.0,
        "this keeps the gradient at pre-activations of variance one, but the variance does not stay there":
            1 / math.sqrt(moments(1.0)[1]),
        "this is the variance; the standard deviation is asked for": _critical(0.0) ** 2,
        "this is the root of the standard deviation": math.sqrt(_critical(0.0)),
    }  # fmt: skip
    _expect_critical(answer, 0.0, mistakes)


@exercise.part("keeps the gradient with biases", points=2)
def with_biases(answer: Answer, generator: Generator) -> None:
    for bias_std in (uniform(2.5, 3.5, generator), uniform(3.5, 5, generator)):
        mistakes = {
            "the biases are ignored": _critical(0.0),
            "this is the variance; the standard deviation is asked for": _critical(bias_std**2) ** 2,
            "bias_std is the standard deviation, not the variance": _critical(bias_std),
        }
        _expect_critical(answer, bias_std, mistakes)
