"""MMD² of many labelings of the same points.

The unbiased statistic of n source and m target points is a function of three sums over pairs of different points,

    MMD² = S_ss / n(n−1) + S_tt / m(m−1) − 2 S_st / nm,

with k(x, y) = exp(−‖x − y‖² / 2h²). For a labeling with indicator z of the source, S_ss = zᵀKz, S_ss + S_st = zᵀK1, and
1ᵀK1 is one number for all. So all labelings share one pass over the kernel: its rows are made a block at a time and
multiplied by the indicators of all labelings together.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

# From this many points on float32 saves time.
LARGE = 1000
# In float32 an exponent errs by about this times 1e-7, so points that lie farther out (½‖x/h‖²) need float64.
FARTHEST = 64
# Of points that are equal the rounding errors are too, and add up: a smaller share of different points needs float64.
DIFFERENT = 0.9
# Differences of statistics err by less than this, relative to the mean |k − centre|.
ROUNDING = {torch.float32: 2 * torch.finfo(torch.float32).eps, torch.float64: 1e-12}


class Discrepancies(NamedTuple):
    """MMD² of every labeling, and the difference that rounding can make between two of them."""

    squared: Tensor
    rounding: float


def discrepancies(
    points: Tensor, labelings: Tensor, n: int, block: int, progress: Callable[[float], object]
) -> Discrepancies:
    """Return the unbiased MMD² of every labeling, in units where the kernel is exp(−‖x − y‖²/2).

    Args:
        points: ``(N, d)``, float64, centred.
        labelings: ``(B + 1, N)`` of zeros and ones, each row with n ones; row 0 is the observed one.
        n: size of the first sample.
        block: rows of the kernel that are held at a time.
        progress: called after each block with the fraction that is done.

    Returns:
        MMD², float64, ``(B + 1,)``, good to about 1e-8, and ranked against row 0 as float64 ranks it.
    """
    if not float32_is_enough(points):
        return _one_pass(points, labelings, n, torch.float64, block, progress)
    coarse = _one_pass(points, labelings, n, torch.float32, block, progress)
    excess = coarse.squared - coarse.squared[0]
    close = excess.abs() <= coarse.rounding
    if close.sum() == 1:
        return coarse._replace(rounding=0.0)
    fine = _one_pass(points, labelings[close.cpu()], n, torch.float64, block, lambda fraction: None)
    # Float32 also moves all of them together, so only differences of one kind may be compared.
    excess[close] = fine.squared - fine.squared[0]
    return Discrepancies(fine.squared[0] + excess, fine.rounding)


def unbiased(within_source: Tensor, between: Tensor, within_target: Tensor, n: int, m: int) -> Tensor:
    """MMD² from the sums over pairs of different points."""
    return within_source / (n * (n - 1)) + within_target / (m * (m - 1)) - 2 * between / (n * m)


def float32_is_enough(points: Tensor) -> bool:
    """Tell whether a first pass in float32 pays: for many points, mostly different, none of them far away."""
    squares = points.square().sum(1) / 2
    return len(points) >= LARGE and bool(squares.max() <= FARTHEST) and len(squares.unique()) >= DIFFERENT * len(points)


def _one_pass(
    points: Tensor, labelings: Tensor, n: int, dtype: torch.dtype, block: int, progress: Callable[[float], object]
) -> Discrepancies:
    squares = points.square().sum(1, keepdim=True) / 2
    ones = torch.ones_like(squares)
    # One product of these gives the whole exponent x·y − ‖x‖²/2 − ‖y‖²/2.
    left = torch.cat([points, -squares, ones], dim=1).to(dtype)
    right = torch.cat([points, ones, -squares], dim=1).to(dtype).T.contiguous()
    total = len(points)
    # zᵀKz from z − share, whose sums over rows of the kernel stay short: a share of few digits is exact in float32.
    share = round(n / total * 4096) / 4096
    indicators = (labelings - share).to(points.device, dtype).T.contiguous()
    degrees = points.new_zeros(total)
    quadratic = points.new_zeros(len(labelings))
    centre, deviation = None, 0.0
    for start in range(0, total, block):
        rows = slice(start, start + block)
        kernel = (left[rows] @ right[:, start:]).exp_()
        # A constant taken from all pairs does not move MMD², and small numbers have small rounding errors.
        centre = kernel.mean() if centre is None else centre
        kernel -= centre
        kernel[:, : len(kernel)].triu_(1)
        degrees[rows] += kernel.sum(1)
        degrees[start:] += kernel.sum(0)
        deviation += kernel.abs().sum().item()
        quadratic += 2 * (kernel @ indicators[start:]).mul_(indicators[rows]).sum(0)
        progress(min(start + block, total) / total)
    # Blocks again: the indicators in float64 would take more memory than all the rest.
    linear = sum(d @ z.double() for d, z in zip(degrees.split(block), indicators.split(block)))
    within_source = quadratic + 2 * share * linear + share**2 * degrees.sum()
    between = linear + share * degrees.sum() - within_source
    within_target = degrees.sum() - within_source - 2 * between
    rounding = ROUNDING[dtype] * deviation / (total * (total - 1) / 2)
    return Discrepancies(unbiased(within_source, between, within_target, n, total - n), rounding)
