"""Checks of two samples that are to be compared."""

from torch import Tensor

from stablenets._arguments import finite


def sample(name: str, values: Tensor, *, least: int = 2) -> Tensor:
    """Return ``values``, detached and in float64, if it is finite and ``(n, d)``, n ≥ ``least``, d ≥ 1, else raise."""
    values = finite(name, values)
    if values.is_complex():
        raise TypeError(f"{name} must be real, got {values.dtype}")
    shape = tuple(values.shape)
    if len(shape) != 2 or shape[0] < least or not shape[1]:
        raise ValueError(f"{name} must have shape (n, d) with n ≥ {least} and d ≥ 1, got {shape}")
    return values.detach().double()


def sample_pair(source: Tensor, target: Tensor, *, least: int = 2) -> tuple[Tensor, Tensor]:
    """Return both samples in float64 if each is one and their widths agree, else raise."""
    source, target = sample("source", source, least=least), sample("target", target, least=least)
    if source.shape[1] != target.shape[1]:
        raise ValueError(f"target must have {source.shape[1]} features as source has, got {target.shape[1]}")
    return source, target
