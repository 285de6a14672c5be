"""Random probabilities, and random changes of them."""

import torch
from torch import Generator, Tensor


def positive(*shape: int, generator: Generator) -> Tensor:
    """Positive numbers that sum to one along the last axis, none of them tiny."""
    numbers = 0.2 + torch.rand(shape, dtype=torch.float64, generator=generator)
    return numbers / numbers.sum(-1, keepdim=True)


def factors(size: int, generator: Generator) -> Tensor:
    """By how much each row or column is to change: factors between 1 and 4, no two of them near each other."""
    order = torch.randperm(size, generator=generator)
    return torch.linspace(1, 4, size, dtype=torch.float64)[order]
