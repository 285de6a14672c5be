"""What the singular values of the factors tell of the eigenvalues of their product."""

import math
from itertools import pairwise

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, nearly
from stablenets.checks.draws import integer, normal
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability._chain import chain

exercise = Exercise.of(__name__, minutes=20)


def _turned(matrix: Tensor, generator: Generator) -> Tensor:
    """The matrix between two random rotations."""
    left, right = (torch.linalg.qr(normal(n, n, generator=generator)).Q for n in matrix.shape)
    return left @ matrix @ right


def _square_factors(generator: Generator) -> list[Tensor]:
    """Three to five square matrices with singular values from 0.2 to 5."""
    d, count = integer(3, 5, generator), integer(3, 5, generator)
    scales = [torch.exp(1.6 * (2 * torch.rand(d, dtype=torch.float64, generator=generator) - 1)) for _ in range(count)]
    return [_turned(scale.diag(), generator) for scale in scales]


def _mistakes(matrices: list[Tensor], name: str) -> dict[str, float]:
    """The answers that one could mistake for the bound; ``name`` is amin or amax."""
    product = chain(matrices)
    pick = getattr(torch, name)
    eigenvalues = [pick(torch.linalg.eigvals(matrix).abs()).item() for matrix in matrices]
    singular = [torch.linalg.svdvals(matrix) for matrix in matrices]
    return {
        "the eigenvalues of the factors bound nothing; their singular values do": math.prod(eigenvalues),
        "this is an eigenvalue of this one product: another rotation of the factors moves it":
            pick(torch.linalg.eigvals(product).abs()).item(),
        "this is a singular value of this one product: another rotation of the factors moves it":
            pick(torch.linalg.svdvals(product)).item(),
        "this is a mean over the singular values, not the extreme one":
            math.prod(values.log().mean().exp().item() for values in singular),
        "the bounds of the factors multiply, they do not add": sum(pick(values).item() for values in singular),
        "lower and upper bound are exchanged":
            math.prod((values.amin() if name == "amax" else values.amax()).item() for values in singular),
    }  # fmt: skip


def _expect_bound(answer: Answer, matrices: list[Tensor], index: int, value: float, mistakes: dict[str, float]) -> None:
    got = answer.tensor(matrices, shape=(2,))[index].item()
    if abs(got - value) > 1e-8 * value + 1e-9:
        which = f"the {('lower', 'upper')[index]} bound"
        if abs(got - value) <= 1e-5 * value:
            raise Mistake(nearly(which))
        reasons = [reason for reason, wrong in mistakes.items() if abs(got - wrong) <= 1e-8 * wrong]
        loose = got > value if index else got < value
        reasons.append("a better bound exists" if loose else "there are rotations of the factors that break it")
        raise Mistake(f"{which}: {reasons[0]}")


@exercise.part("the upper bound is the best", points=1)
def upper_bound(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        matrices = _square_factors(generator)
        best = math.prod(torch.linalg.svdvals(matrix)[0].item() for matrix in matrices)
        frobenius = math.prod(matrix.norm().item() for matrix in matrices)
        loose = {"the Frobenius norm bounds too, but the largest singular value is the better bound": frobenius}
        _expect_bound(answer, matrices, 1, best, _mistakes(matrices, "amax") | loose)


@exercise.part("the lower bound is the best", points=1)
def lower_bound(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        matrices = _square_factors(generator)
        best = math.prod(torch.linalg.svdvals(matrix)[-1].item() for matrix in matrices)
        _expect_bound(answer, matrices, 0, best, _mistakes(matrices, "amin"))


@exercise.part("rectangular factors can cancel", points=1)
def rectangular_factors(answer: Answer, generator: Generator) -> None:
    for widths in ([3, 5, 3], [4, 2, 4], [3, 3, 4, 6, 3], [4, 2, 4, 4]):
        matrices = [normal(m, n, generator=generator) for n, m in pairwise(widths)]
        values = [torch.linalg.svdvals(matrix) for matrix in matrices]
        reason = "a wide factor maps some vectors to zero, and a rotation turns the output of the others there"
        _expect_bound(answer, matrices, 0, 0.0, {reason: math.prod(value[-1].item() for value in values)})
        _expect_bound(answer, matrices, 1, math.prod(value[0].item() for value in values), {})
