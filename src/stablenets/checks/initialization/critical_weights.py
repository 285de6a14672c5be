"""The weight variance at which a wide tanh network keeps its gradient."""

import math

import torch
from torch import Generator

from stablenets.checks.answer import Answer
from stablenets.checks.draws import gaussian, log_uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


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


@exercise.part("chi is one at the fixed point", points=3)
def with_biases(answer: Answer, generator: Generator) -> None:
    # Between the two ranges some known mistakes happen to give the same number.
    _expect_critical(answer, log_uniform(0.02, 0.06, generator))
    _expect_critical(answer, log_uniform(0.12, 0.3, generator))


@exercise.part("chi is one with hardly any bias", points=2)
def almost_without_biases(answer: Answer, generator: Generator) -> None:
    _expect_critical(answer, log_uniform(1e-4, 1e-3, generator))
