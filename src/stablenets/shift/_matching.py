"""The quadratic programme of kernel mean matching, by accelerated projected gradients with a certificate."""

import torch
from torch import Tensor

# Excess of the squared distance of the means at the end, in units of 1/n, the order of the chance differences of means.
EXCESS = 0.1
STEPS = 50_000


def match_means(kernel: Tensor, matched: Tensor, bound: float) -> Tensor:
    """Minimise wᵀKw/n² − 2wᵀκ/n over 0 ≤ w ≤ ``bound`` with mean 1.

    The gradient gives a lower bound of the minimum, by the best corner of the feasible set: it tells when to stop.

    Args:
        kernel: K ``(n, n)``, ≥ 0, positive semidefinite.
        matched: κ ``(n,)``.
        bound: ≥ 1.
    """
    n = len(kernel)
    rate = n / kernel.sum(1).max()  # the largest eigenvalue is at most the largest sum of a row
    weights = ahead = torch.ones_like(matched)
    image = image_ahead = kernel @ weights / n
    momentum = 1.0
    for _ in range(STEPS):
        slope = image - matched
        if 2 * (slope @ weights - _least(slope, bound)) <= EXCESS:
            return weights
        step = project(ahead - rate * (image_ahead - matched), bound)
        moved = step - weights
        # Momentum that points uphill is dropped (O'Donoghue and Candès 2015).
        faster = 1.0 if (ahead - step) @ moved > 0 else (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        carried = (momentum - 1) / faster if faster > 1 else 0.0
        new_image = kernel @ step / n
        ahead, image_ahead = step + carried * moved, new_image + carried * (new_image - image)
        weights, image, momentum = step, new_image, faster
    raise RuntimeError(f"kernel mean matching did not converge in {STEPS} steps")


def project(point: Tensor, bound: float) -> Tensor:
    """Nearest point to ``point``, ``(n,)``, among those with 0 ≤ w ≤ ``bound`` and mean 1: clip(point − τ, 0, bound).

    The sum falls in τ along straight lines between the values at which an entry reaches 0 or ``bound``.

    >>> project(torch.tensor([3.0, 1.0, 0.0]), bound=1.5)
    tensor([1.5000, 1.2500, 0.2500])
    """
    n = len(point)
    knots, order = torch.cat([point - bound, point]).sort()
    falling = torch.where(order < n, 1.0, -1.0).to(point).cumsum(0)[:-1]
    sums = n * bound - torch.cat([falling.new_zeros(1), (falling * knots.diff()).cumsum(0)])
    last = int((sums >= n).sum()) - 1
    shift = knots[last] + (sums[last] - n) / falling[last]
    return (point - shift).clamp_(0, bound)


def _least(slope: Tensor, bound: float) -> Tensor:
    """Least slope · s over 0 ≤ s ≤ ``bound`` with mean 1: as much as allowed where the slope is least."""
    n, ordered = len(slope), slope.sort().values
    full = min(int(n // bound), n - 1)
    return bound * ordered[:full].sum() + (n - full * bound) * ordered[full]
