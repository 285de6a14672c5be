"""Random inputs and Gaussian means that the checks share."""

import torch
from torch import Generator, Tensor


def uniform(low: float, high: float, generator: Generator) -> float:
    """One number, uniform between ``low`` and ``high``."""
    return low + (high - low) * torch.rand((), dtype=torch.float64, generator=generator).item()


def log_uniform(low: float, high: float, generator: Generator) -> float:
    """One number whose logarithm is uniform between those of ``low`` and ``high``."""
    return low * (high / low) ** torch.rand((), generator=generator, dtype=torch.float64).item()


def integer(low: int, high: int, generator: Generator) -> int:
    """One integer from ``low`` to ``high``, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def normal(*shape: int, generator: Generator) -> Tensor:
    """Standard normal numbers in float64."""
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def gaussian(limit: float = 12.0, points: int = 4801) -> tuple[Tensor, Tensor]:
    """A grid and the probabilities on it with which sums are means over N(0, 1)."""
    z = torch.linspace(-limit, limit, points, dtype=torch.float64)
    return z, torch.softmax(-z.square() / 2, 0)
