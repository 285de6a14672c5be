"""Two factors without an eigenvalue but zero, and a product with one as large as you please."""

import math

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=10)


@exercise.part("eigenvalues of the factors say nothing", points=2)
def eigenvalues(answer: Answer, generator: Generator) -> None:
    for growth in (1.0, uniform(2, 100, generator), uniform(1e3, 1e5, generator)):
        first, second = answer.tensors(growth, shapes=[(2, 2), (2, 2)])
        for matrix in (first, second):
            if (matrix @ matrix).norm() > 1e-9 * matrix.norm() ** 2:
                raise Mistake("a factor has an eigenvalue other than zero: its square is not zero")
        radius = torch.linalg.eigvals(first @ second).abs().max().item()
        if radius < 1e-6 * growth:
            raise Mistake("the product has no eigenvalue but zero either: the two send the same direction to zero")
        if not math.isclose(radius, growth, rel_tol=1e-6):
            raise Mistake(f"{answer.call(growth)}: the largest eigenvalue of the product, not its norm, must be growth")
