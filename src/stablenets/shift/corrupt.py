"""Shifts made out of real data: other proportions of the classes, moved pixels, noise, missing examples."""

import math

import torch
from torch import Tensor

from stablenets._arguments import finite, non_negative, positive_integer, within


def label_shift_indices(labels: Tensor, prior: Tensor, n: int, *, generator: torch.Generator) -> Tensor:
    """Draw examples so that the classes have a new prior and each class keeps its own examples: label shift.

    A class is drawn from the prior, then an example of it, with replacement.

    Args:
        labels: ``(N,)``, integers from 0 to k − 1.
        prior: ``(k,)``, ≥ 0, sum 1; a class of positive probability must have an example.
        n: number of indices.
        generator: draws classes and examples.

    Returns:
        Indices into ``labels``, ``(n,)``, int64.

    >>> labels = torch.tensor([0, 1, 1, 2])
    >>> label_shift_indices(labels, torch.tensor([1.0, 0, 0]), 3, generator=torch.Generator().manual_seed(0))
    tensor([0, 0, 0])
    """
    positive_integer("n", n)
    if finite("prior", prior).ndim != 1 or (prior < 0).any() or not math.isclose(prior.sum().item(), 1, abs_tol=1e-6):
        raise ValueError(f"prior must be one-dimensional, ≥ 0 and sum to 1, got {prior}")
    counts = torch.bincount(_labels(labels), minlength=len(prior))
    if len(counts) > len(prior):
        raise ValueError(f"labels must be below the length of prior, {len(prior)}, got {len(counts) - 1}")
    missing = ((counts == 0) & (prior > 0)).nonzero().flatten().tolist()
    if missing:
        raise ValueError(f"labels must hold every class of positive prior, got no example of {missing}")
    # All examples of a class share its probability, and classes of probability 0 are never drawn.
    chance = prior.double()[labels] / counts[labels]
    return torch.multinomial(chance, n, replacement=True, generator=generator)


def shift_pixels(images: Tensor, pixels: int = 1) -> Tensor:
    """Move square images to the right; what leaves at one side comes in at the other, in any scale of grey.

    Args:
        images: ``(n, side²)``.
        pixels: how far, negative to the left.

    >>> shift_pixels(torch.tensor([[1, 2, 3, 4.0]]))
    tensor([[2., 1., 4., 3.]])
    """
    if isinstance(pixels, bool) or not isinstance(pixels, int):
        raise ValueError(f"pixels must be an integer, got {pixels!r}")
    side = math.isqrt(images.shape[1]) if finite("images", images).ndim == 2 else 0
    if not side or side**2 != images.shape[1]:
        raise ValueError(f"images must have shape (n, side²), got {tuple(images.shape)}")
    return images.view(-1, side, side).roll(pixels, 2).flatten(1)


def add_noise(x: Tensor, deviation: float, *, generator: torch.Generator) -> Tensor:
    """Add Gaussian noise with this standard deviation, in the units of ``x``, to every entry.

    >>> add_noise(torch.ones(1, 2), 0.0, generator=torch.Generator())
    tensor([[1., 1.]])
    """
    non_negative("deviation", deviation)
    return x + deviation * torch.randn(finite("x", x).shape, dtype=x.dtype, generator=generator)


def knock_out(
    x: Tensor, y: Tensor, cls: int, fraction: float = 1.0, *, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Take away a share of the examples of one class, chosen at random; the others keep their order.

    Args:
        x: ``(n, …)``.
        y: labels ``(n,)``, int64.
        cls: the class; it must be among the labels.
        fraction: of its examples, rounded to a whole number of them, 0 to 1.
        generator: chooses which.

    >>> x, y = torch.arange(4), torch.tensor([0, 1, 1, 2])
    >>> knock_out(x, y, 1, generator=torch.Generator())
    (tensor([0, 3]), tensor([0, 2]))
    """
    within("fraction", fraction, 0.0, 1.0)
    if len(x) != len(_labels(y, "y")):
        raise ValueError(f"x and y must have the same length, got {len(x)} and {len(y)}")
    members = (y == cls).nonzero().flatten()
    if not len(members):
        raise ValueError(f"cls must be one of the labels in y, got {cls!r}")
    order = torch.randperm(len(members), generator=generator)
    keep = torch.ones(len(y), dtype=torch.bool)
    keep[members[order[: round(fraction * len(members))]]] = False
    return x[keep], y[keep]


def _labels(labels: Tensor, name: str = "labels") -> Tensor:
    if not isinstance(labels, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(labels).__name__}")
    if labels.dtype != torch.int64 or labels.ndim != 1 or not len(labels) or labels.min() < 0:
        raise ValueError(f"{name} must be int64, ≥ 0 and of shape (n,) with n ≥ 1, got {labels.dtype}, {labels.shape}")
    return labels
