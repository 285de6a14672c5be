"""Gaussian kernels, and how wide to take them."""

import torch
from torch import Tensor

from stablenets._arguments import positive

# Bandwidths tried where none is given, in median distances, and the points that this median is taken from.
BANDWIDTHS = tuple(2.0**k for k in range(-3, 3))
MEDIAN_SAMPLE = 500


def bandwidths(bandwidth: float | None, source: Tensor, target: Tensor) -> tuple[float, ...]:
    """Return the given bandwidth, checked, or else those to choose from."""
    if bandwidth is not None:
        return (positive("bandwidth", bandwidth),)
    median = median_distance(source, target)
    return tuple(factor * median for factor in BANDWIDTHS)


def median_distance(source: Tensor, target: Tensor) -> float:
    """Median distance between points of both samples together, or an even part of them if many."""
    return positive_median(torch.cat([x[:: -(-2 * len(x) // MEDIAN_SAMPLE)] for x in (source, target)]))


def positive_median(points: Tensor) -> float:
    """Median of the positive distances between points ``(n, d)`` of source and target."""
    distances = torch.pdist(points)
    distances = distances[distances > 0]
    if not len(distances):
        raise ValueError("source and target must have two different points, or a bandwidth be given, got one point")
    return distances.median().item()


def log_kernel(x: Tensor, y: Tensor, bandwidth: float) -> Tensor:
    """Return −‖x − y‖²/(2·bandwidth²), ``(n_x, n_y)``, for ``(n_x, d)`` and ``(n_y, d)``."""
    center = y.mean(0)
    return torch.cdist(x - center, y - center).square_().mul_(-0.5 / bandwidth**2)
