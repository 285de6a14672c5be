"""Norms of gradients, measured without underflow and overflow."""

import math

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability._gradients import exact_norm, random_gradients

exercise = Exercise.of(__name__, minutes=15)


def _expect_norms(answer: Answer, gradients: list[Tensor]) -> None:
    got = answer.tensor(gradients, shape=(len(gradients),)).tolist()
    for gradient, norm in zip(gradients, got):
        true, entries = exact_norm(gradient), gradient.double().abs()
        named = {
            "a norm of zero, though the gradient is not: the squares of its entries underflow": 0.0,
            "this is the square of the norm": true**2,
            "this is the root mean square, not the norm": true / math.sqrt(gradient.numel()),
            "this is the largest entry, not the norm": entries.max().item(),
            "this is the sum of absolute values, not the Euclidean norm": entries.sum().item(),
        }
        if abs(norm - true) > 1e-4 * true:
            reasons = [reason for reason, wrong in named.items() if abs(norm - wrong) <= 1e-4 * wrong]
            reasons.append(f"{norm:.4g} is too {'large' if norm > true else 'small'}")
            raise Mistake(f"entries of size {entries.mean().item():.1g}: {reasons[0]}")


@exercise.part("small entries do not underflow", points=2)
def small_entries(answer: Answer, generator: Generator) -> None:
    for exponent in (-25, -22, -30):
        _expect_norms(answer, random_gradients([10.0**exponent, 0.5 * 10.0**exponent], generator))


@exercise.part("large entries do not overflow", points=1)
def large_entries(answer: Answer, generator: Generator) -> None:
    for exponent in (19, 25, 30):
        _expect_norms(answer, random_gradients([10.0**exponent, 0.5 * 10.0**exponent], generator))


@exercise.part("layers of all sizes and dead ones are told apart", points=1)
def mixed_layers(answer: Answer, generator: Generator) -> None:
    small, one, large = random_gradients([1e-30, 1.0, 1e30], generator)
    _expect_norms(answer, [large, torch.zeros(3, 2), one, torch.zeros(4), small])
