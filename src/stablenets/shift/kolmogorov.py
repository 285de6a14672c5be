"""How far apart the distribution functions of two samples can lie by chance.

By hand, because the features of two samples share one computation here: for samples of equal size, and for few points,
that is several times as fast as `scipy.stats.ks_2samp`; elsewhere it is no slower than its loop over features.
"""

import math

import numpy as np
import torch
from torch import Tensor

# Up to this product of different sample sizes the exact law is computed.
EXACT = 250_000


def kolmogorov_p_values(gaps: Tensor, n: int, m: int) -> Tensor:
    """P(nm·D ≥ gap), where D is the largest distance between the distribution functions of n and m points of one law.

    It is exact for n = m and for n·m ≤ 250 000; else it is the limit law 2 Σₖ (−1)ᵏ⁻¹ exp(−2k²λ²), λ = D √(nm/(n+m)),
    which is on the safe side: at p = .05 too large by a tenth where both samples have about 500 points, by a third
    where one has 20. The law is continuous; if it is not, ties make D smaller and so p larger than it should be.

    Args:
        gaps: integers nm·D ≥ 0, shape ``(d,)``.
        n: size of one sample, ≥ 1.
        m: size of the other, ≥ 1.

    Returns:
        p-values, float64, shape ``(d,)``; 0 only where they are below 1e-308.

    >>> kolmogorov_p_values(torch.tensor([0, 2, 4]), 2, 2)
    tensor([1.0000, 1.0000, 0.3333], dtype=torch.float64)

    Source: Hodges (1958) for the paths; Gnedenko and Korolyuk (1951) for n = m; Smirnov (1939) for the limit.
    """
    different, place = gaps.unique(return_inverse=True)
    if n == m:
        p_values = _by_reflection(different // n, n)
    elif n * m <= EXACT:
        p_values = _by_paths(different, n, m)
    else:
        p_values = _limit(different / math.sqrt(n * m * (n + m)))
    return p_values.clamp(max=1)[place]


def _by_reflection(gaps: Tensor, n: int) -> Tensor:
    # Paths of 2n steps that return to 0 and meet ±h: 2 Σₖ (−1)ᵏ⁻¹ C(2n, n − kh) / C(2n, n). Beyond kh = 7√n a term is
    # less than 1e-21 of the largest.
    h = gaps.double()[:, None].clamp(min=1)
    k = torch.arange(1.0, 3 + 7 * math.sqrt(n) / h.min().item(), dtype=torch.float64, device=h.device)
    reached = (k * h).clamp(max=n)
    logarithm = 2 * math.lgamma(n + 1) - torch.lgamma(n - reached + 1) - torch.lgamma(n + reached + 1)
    terms = torch.where(k * h <= n, logarithm.exp(), 0.0)
    return torch.where(gaps == 0, 1.0, 2 * (terms[:, ::2].sum(1) - terms[:, 1::2].sum(1)))


def _by_paths(gaps: Tensor, n: int, m: int) -> Tensor:
    # In the order of the pooled sample each point is a step of a path from (0, 0) to (n, m), all paths equally likely.
    # hit[i] is the probability that a path to (i, k − i) met |i/n − j/m| ≥ D on its way: its last step came from
    # (i − 1, j) with probability i/k. Only sums of positive numbers, so that a tiny p keeps its digits.
    gaps = gaps.cpu().numpy()[:, None]
    hit = np.zeros((len(gaps), n + 2)) + (gaps <= 0)
    steps = np.arange(n + 1)
    for k in range(1, n + m + 1):
        # Outside of the widest band every path has hit.
        low = max(0, k - m, (k * n - gaps[-1, 0]) // (n + m))
        high = min(n, k, (k * n + gaps[-1, 0]) // (n + m) + 1)
        i = steps[low : high + 1]
        before = hit[:, low + 1 : high + 2]
        # hit is shifted by one place, so that i − 1 exists.
        reached = before + (hit[:, low : high + 1] - before) * (i / k)
        reached[np.abs(i * (n + m) - k * n) >= gaps] = 1
        hit[:, low + 1 : high + 2] = reached
    return torch.from_numpy(hit[:, n + 1].copy())


def _limit(scaled: Tensor) -> Tensor:
    k = torch.arange(1, 101, dtype=torch.float64, device=scaled.device)
    terms = torch.exp(-2 * (k * scaled.double()[:, None]).square())
    # The series needs more terms than these only where its sum is 1.
    return torch.where(scaled < 0.1, 1.0, 2 * (terms[:, ::2] - terms[:, 1::2]).sum(1))
