"""Gradients that are clipped together and keep their direction, whatever their size."""

import math

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, uniform
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability._gradients import exact_norm, random_gradients

exercise = Exercise.of(__name__, minutes=15)


def _expect_clipped(answer: Answer, gradients: list[Tensor], max_norm: float) -> None:
    """Compare with all gradients times min(1, max_norm / norm of them all)."""
    got = answer.tensors(gradients, max_norm, shapes=[gradient.shape for gradient in gradients])
    exact = [gradient.double() for gradient in gradients]
    norms = [exact_norm(gradient) for gradient in gradients]
    total = max(math.hypot(*norms), 1e-300)
    named = {
        "the gradients are gone, though all entries are finite: their squares overflow": [0 * g for g in exact],
        "nothing is clipped": exact,
        "each tensor is clipped by itself, which turns the step; one factor must fit all":
            [g * min(1, max_norm / max(norm, 1e-300)) for g, norm in zip(exact, norms)],
        "each entry is clipped by itself, which turns the step": [g.clamp(-max_norm, max_norm) for g in exact],
        "gradients shorter than max_norm must stay as they are": [g * max_norm / total for g in exact],
        "the factor has the square of the norm": [g * max_norm / total**2 for g in exact],
        "the result has norm one, not max_norm": [g / total for g in exact],
    }  # fmt: skip
    if not _same(got, [g * min(1, max_norm / total) for g in exact]):
        reasons = [reason for reason, wrong in named.items() if _same(got, wrong)]
        reasons.append(f"after clipping to {max_norm:.4g} the norm is {math.hypot(*map(exact_norm, got)):.4g}")
        raise Mistake(reasons[0])


def _same(got: list[Tensor], expected: list[Tensor]) -> bool:
    deviation = max((a - b).abs().max().item() for a, b in zip(got, expected))
    return deviation <= 1e-4 * max(b.abs().max().item() for b in expected)


@exercise.part("one factor fits all tensors", points=1)
def one_factor(answer: Answer, generator: Generator) -> None:
    gradients = random_gradients([1.0, 3.0, 0.3], generator)
    short = 1 + math.hypot(*map(exact_norm, gradients))
    _expect_clipped(answer, gradients, uniform(0.2, 0.6, generator))
    _expect_clipped(answer, gradients, short)
    _expect_clipped(answer, [torch.zeros(2), torch.zeros(3, 1)], short)


@exercise.part("huge gradients keep their direction", points=1)
def huge_gradients(answer: Answer, generator: Generator) -> None:
    for scale in (1e19, 1e25, 1e30):
        _expect_clipped(answer, random_gradients([scale, 2 * scale, 1.0], generator), uniform(0.2, 6, generator))


@exercise.part("there is no step without finite gradients", points=1)
def no_step(answer: Answer, generator: Generator) -> None:
    for bad in (math.inf, -math.inf, math.nan):
        gradients = random_gradients([1.0, 1.0], generator)
        gradients[integer(0, 1, generator)][0, integer(0, 1, generator)] = bad
        result = answer(gradients, 1.0)
        if isinstance(result, (list, tuple)) and not result:
            continue
        clipped = answer.tensors(gradients, 1.0, shapes=[gradient.shape for gradient in gradients])
        if not any(tensor.any() for tensor in clipped):
            raise Mistake(f"one entry is {bad}: zeros hide the failure, since they look like a minimum")
        raise Mistake(f"one entry is {bad}: the others do not make up a gradient; return an empty list")
