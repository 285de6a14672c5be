"""Random inputs, Gaussian means, and single values: what the checks of the exercises on initialization share."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer


class Value(Answer):
    """One of the numbers that an answer returns together."""

    def __init__(self, answer: Answer, index: int, what: str, shapes: Sequence[Sequence[int]] = ((), ())) -> None:
        super().__init__(answer.function)
        self.whole, self.index, self.what, self.shapes = answer, index, what, shapes

    def __call__(self, *arguments: object) -> Tensor:
        return self.whole.tensors(*arguments, shapes=self.shapes)[self.index]

    def call(self, *arguments: object) -> str:
        return f"the {self.what} of {super().call(*arguments)}"


def between(low: float, high: float, generator: Generator) -> float:
    """One number whose logarithm is uniform between those of ``low`` and ``high``."""
    return low * (high / low) ** torch.rand((), generator=generator, dtype=torch.float64).item()


def integer(low: int, high: int, generator: Generator) -> int:
    """One integer from ``low`` to ``high``, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def gaussian(limit: float = 12.0, points: int = 4801) -> tuple[Tensor, Tensor]:
    """A grid and the probabilities on it with which sums are means over N(0, 1)."""
    z = torch.linspace(-limit, limit, points, dtype=torch.float64)
    return z, torch.softmax(-z.square() / 2, 0)
