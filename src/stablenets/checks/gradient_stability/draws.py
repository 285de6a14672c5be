"""Random inputs for the checks."""

import torch
from torch import Generator, Tensor


def uniform(low: float, high: float, generator: Generator) -> float:
    """One number, uniform between ``low`` and ``high``."""
    return low + (high - low) * torch.rand((), dtype=torch.float64, generator=generator).item()


def integer(low: int, high: int, generator: Generator) -> int:
    """One integer from ``low`` to ``high``, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def normal(*shape: int, generator: Generator) -> Tensor:
    """Standard normal numbers in float64."""
    return torch.randn(shape, dtype=torch.float64, generator=generator)
