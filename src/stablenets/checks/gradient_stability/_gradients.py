"""Random gradients of given sizes, and their norms."""

from torch import Generator, Tensor

from stablenets.checks.draws import integer, normal


def random_gradients(scales: list[float], generator: Generator) -> list[Tensor]:
    """One float32 matrix of Gaussian entries for each scale."""
    shapes = [(integer(2, 30, generator), integer(2, 30, generator)) for _ in scales]
    return [(scale * normal(*shape, generator=generator)).float() for scale, shape in zip(scales, shapes)]


def exact_norm(gradient: Tensor) -> float:
    return gradient.double().norm().item()
