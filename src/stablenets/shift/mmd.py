"""Maximum mean discrepancy: how far apart two samples lie in the space of a kernel, tested by permutation."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from stablenets._arguments import positive, positive_integer
from stablenets.shift._discrepancies import ROUNDING, Discrepancies, discrepancies, unbiased
from stablenets.shift._kernels import MEDIAN_SAMPLE, positive_median
from stablenets.shift._samples import sample_pair
from stablenets.shift.result import TestResult, permutation_p_value


def mmd_test(
    source: Tensor,
    target: Tensor,
    *,
    permutations: int = 499,
    bandwidth: float | None = None,
    generator: torch.Generator,
    block: int = 256,
    progress: Callable[[float], object] | None = None,
) -> TestResult:
    """Test whether two samples have one law, by the unbiased MMD² with a Gaussian kernel and random relabelings.

        MMD² = mean k(x, x′) + mean k(y, y′) − 2 mean k(x, y),   k(x, y) = exp(−‖x − y‖² / 2h²),   x ≠ x′, y ≠ y′

    Every shift counts, if there are data enough: MMD = 0 for equal laws only. The time is that of N²(B + d) floating
    point operations for N = n + m, and the memory O(N (B + d + block)). From 1000 points on the kernel is in float32;
    labelings that rounding could rank wrongly are then taken again in float64, so that p is the same.

    Args:
        source: ``(n, d)``, n ≥ 2; any real type.
        target: ``(m, d)``, m ≥ 2.
        permutations: B ≥ 1; the p-value is a multiple of 1/(B + 1).
        bandwidth: h > 0. Without it, the median distance between the points of both samples together (of at most 500
            of them, drawn at random; distances of 0 left out).
        generator: draws the relabelings and those 500 points.
        block: rows of the kernel that are held at a time.
        progress: called after each block with the fraction that is done, from 0 to 1.

    Returns:
        MMD², which may be negative, and its p-value. Both are the same when the samples change places.

    Raises:
        ValueError: for samples of a wrong shape, not finite, or of different widths; where all points are equal and no
            bandwidth is given.

    >>> generator = torch.Generator().manual_seed(0)
    >>> x, y = torch.randn(100, 2, generator=generator), torch.randn(80, 2, generator=generator)
    >>> mmd_test(x, y + 1, permutations=99, generator=generator).p_value
    0.01

    Source: Gretton et al. (2012), equation 3 and section 8; the p-value of Phipson and Smyth (2010).
    """
    points, n = _prepare(source, target, permutations, bandwidth, generator)
    positive_integer("block", block)
    labelings = _labelings(len(points), n, permutations, generator)
    return _result(discrepancies(points, labelings, n, block, progress or (lambda fraction: None)))


def linear_mmd_test(
    source: Tensor,
    target: Tensor,
    *,
    features: int = 512,
    permutations: int = 499,
    bandwidth: float | None = None,
    generator: torch.Generator,
) -> TestResult:
    """Test as :func:`mmd_test` does, with a random approximation of the kernel whose cost grows linearly with n.

        k(x, y) ≈ φ(x)·φ(y),   φ(x) = √(2/D) (cos ω₁·x, sin ω₁·x, …, cos ω_{D/2}·x, sin ω_{D/2}·x),   ω ~ N(0, 1/h²)

    The level holds for any D, since the frequencies know no labels; the power approaches the exact test's as D grows.
    The time is that of N D (2B + d) floating point operations.

    Args:
        source: ``(n, d)``, n ≥ 2; any real type.
        target: ``(m, d)``, m ≥ 2.
        features: D, even and ≥ 2.
        permutations: B ≥ 1.
        bandwidth: h > 0; by default as in :func:`mmd_test`.
        generator: draws the relabelings, the frequencies and the points behind the bandwidth.

    Returns:
        The approximate MMD² and its p-value.

    Raises:
        ValueError: as :func:`mmd_test`, and for ``features`` that are not even.

    >>> generator = torch.Generator().manual_seed(0)
    >>> x, y = torch.randn(100, 2, generator=generator), torch.randn(80, 2, generator=generator)
    >>> linear_mmd_test(x, y + 1, permutations=99, generator=generator).p_value
    0.01

    Source: Rahimi and Recht (2007), with a sine for each cosine instead of a random phase, so that φ(x)·φ(x) = 1.
    """
    if positive_integer("features", features) % 2:
        raise ValueError(f"features must be even, a cosine and a sine a frequency, got {features}")
    points, n = _prepare(source, target, permutations, bandwidth, generator)
    frequencies = torch.randn(points.shape[1], features // 2, generator=generator, dtype=torch.float64).to(points)
    labelings = _labelings(len(points), n, permutations, generator).to(points)
    in_source = points.new_zeros(features, permutations + 1)
    in_all = points.new_zeros(features, 1)
    for rows, columns in zip(points.split(1024), labelings.split(1024, dim=1)):
        angles = rows @ frequencies
        embedded = torch.cat([angles.cos(), angles.sin()], dim=1) * math.sqrt(2 / features)
        in_source += embedded.T @ columns.T
        in_all += embedded.sum(0)[:, None]
    in_target = in_all - in_source
    # Every point is one pair with itself, of k = 1, that the sums of different points leave out.
    within_source, within_target = in_source.square().sum(0) - n, in_target.square().sum(0) - (len(points) - n)
    squared = unbiased(within_source, (in_source * in_target).sum(0), within_target, n, len(points) - n)
    return _result(Discrepancies(squared, ROUNDING[torch.float64]))


def _prepare(
    source: Tensor, target: Tensor, permutations: int, bandwidth: float | None, generator: torch.Generator
) -> tuple[Tensor, int]:
    """Both samples in one, centred and in units of the bandwidth, and the length of the part that comes first."""
    source, target = sample_pair(source, target)
    positive_integer("permutations", permutations)
    # The order must not depend on which is called the source: then the result does not either.
    first, second = sorted((source, target), key=lambda sample: (len(sample), sample[0].tolist()))
    points = torch.cat([first, second])
    points -= points.mean(0)
    if bandwidth is None:
        some = torch.randperm(len(points), generator=generator)[:MEDIAN_SAMPLE]
        points /= positive_median(points[some.to(points.device)])
    else:
        points /= positive("bandwidth", bandwidth)
    if not math.isfinite(points.square().sum()):
        raise ValueError("source and target must have a spread whose square is finite, in units of the bandwidth too")
    return points, len(first)


def _labelings(total: int, n: int, permutations: int, generator: torch.Generator) -> Tensor:
    """Indicators of the first sample, ``(permutations + 1, total)``: as observed in row 0, then at random."""
    labelings = torch.zeros(permutations + 1, total)
    labelings[0, :n] = 1
    for row in labelings[1:]:
        row[torch.randperm(total, generator=generator)[:n]] = 1
    return labelings


def _result(found: Discrepancies) -> TestResult:
    squared, rounding = found
    observed = squared[0].item()
    return TestResult(observed, permutation_p_value(observed, squared[1:], tie=rounding))
