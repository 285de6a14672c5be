"""LARS on many tensors in few passes over memory: like tensors together, and PyTorch's own update of momentum.

PyTorch's fused update of SGD computes v ← m v + (1 − dampening) (g + β w), w ← w − lr v, in one pass over w, g and v.
With lr = 1 and dampening = 1 − s it is the step of LARS at the rate s = γ λ. It takes a list of tensors, but one rate.
"""

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

FUSED = getattr(torch, "_fused_sgd_", None)
# The dampening holds s to 2⁻⁵³ absolutely; relative to s, that must be below the precision of the weights. In half
# precision the fused update of PyTorch 2.13 writes the velocity and leaves the weights: those types go the plain way.
SMALLEST_RATE = {dtype: 2.0**-53 / torch.finfo(dtype).eps for dtype in (torch.float32, torch.float64)}
LARGEST_RATE = 1e30
KIND = attrgetter("shape", "dtype", "device")
TYPE = attrgetter("dtype")


class Alike:
    """Tensors sorted into lists of one shape, type and device, so that one call can serve a list.

    >>> alike = Alike()
    >>> alike.sort([torch.ones(2), torch.ones(3), torch.zeros(2)])
    >>> [len(tensors) for tensors in alike.lists]
    [2, 1]
    """

    def __init__(self) -> None:
        self.lists: list[list[Tensor]] = []
        self._seen: tuple[list[int], list[tuple]] | None = None

    def holds(self, tensors: list[Tensor]) -> bool:
        """Tell whether these tensors were sorted last and are still of the same kinds, which is faster than to sort."""
        return self._seen == (list(map(id, tensors)), list(map(KIND, tensors)))

    def sort(self, tensors: list[Tensor]) -> None:
        """Sort tensors into ``lists``."""
        kinds = list(map(KIND, tensors))
        lists: dict[tuple, list[Tensor]] = {}
        for kind, tensor in zip(kinds, tensors):
            lists.setdefault(kind, []).append(tensor)
        self.lists, self._seen = list(lists.values()), (list(map(id, tensors)), kinds)


def fused_steps_(
    rates: list[float],
    weights: list[Tensor],
    gradients: list[Tensor],
    velocities: list[Tensor | None],
    group: dict[str, Any],
) -> bool:
    """Move like tensors, each by its rate s, in one pass over each, and tell whether that was done.

    It is not where it would not be exact to the precision of the weights. The arguments are lists of those of `step_`.
    """
    if not _fits(rates, weights, gradients, velocities, group):
        return False
    if rates.count(rates[0]) == len(rates):
        _fused_step_(rates[0], weights, gradients, velocities, group)
    else:
        for rate, weight, gradient, velocity in zip(rates, weights, gradients, velocities):
            _fused_step_(rate, (weight,), (gradient,), (velocity,), group)
    return True


def _fits(rates: list[float], weights: list, gradients: list, velocities: list, group: dict[str, Any]) -> bool:
    dtype, tensors = weights[0].dtype, weights + gradients + (velocities if group["momentum"] > 0 else [])
    return (
        dtype in SMALLEST_RATE
        and FUSED is not None
        and weights[0].is_cpu
        and not group["nesterov"]
        and all(map(math.isfinite, rates))
        and SMALLEST_RATE[dtype] < min(rates)
        and max(rates) < LARGEST_RATE
        # It does not look at any of these itself, and would write beyond the end of a shorter tensor.
        and all(map(Tensor.is_contiguous, tensors))
        and len(set(map(Tensor.numel, tensors))) == len(set(map(TYPE, tensors))) == 1
    )


def _fused_step_(rate: float, weights: Sequence, gradients: Sequence, velocities: Sequence, group: dict) -> None:
    moves = group["momentum"] > 0
    FUSED(
        weights,
        gradients,
        velocities if moves else (),
        weight_decay=group["weight_decay"],
        momentum=group["momentum"],
        lr=1.0 if moves else rate,
        dampening=1.0 - rate if moves else 0.0,
        nesterov=False,
        maximize=group["maximize"],
        is_first_step=False,
    )
