"""One step of momentum with the learning rate inside the velocity: v ← m v ± s (g + β w), then w ← w − v."""

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

# PyTorch's one-pass update. It computes v ← m v + (1 − dampening) (g + β w), so 1 − s is the dampening that makes s the
# rate inside the velocity, and its own learning rate is 1.
FUSED = getattr(torch, "_fused_sgd_", None)
# The dampening holds s to 2⁻⁵³ absolutely; relative to s, that must be below the precision of the weights. In half
# precision the fused update of PyTorch 2.13 writes the velocity and leaves the weights: those types go the plain way.
SMALLEST_RATE = {dtype: 2.0**-53 / torch.finfo(dtype).eps for dtype in (torch.float32, torch.float64)}
LARGEST_RATE = 1e30
TYPE = attrgetter("dtype")


def step_(
    rates: list[float],
    weights: list[Tensor],
    gradients: list[Tensor],
    velocities: list[Tensor | None],
    group: dict[str, Any],
) -> None:
    """Move tensors of one shape and type, each by its rate s, in one pass over it where that is exact to its precision.

    A rate of NaN leaves its tensor alone. Without momentum, the velocities are None.
    """
    if not _fits_fused(rates, weights, gradients, velocities, group):
        for update in zip(rates, weights, gradients, velocities):
            if len(rates) > 1:
                step_(*([each] for each in update), group)
            else:
                _plain_step_(*update, group)
    elif rates.count(rates[0]) == len(rates):
        _fused_step_(rates[0], weights, gradients, velocities, group)
    else:
        for rate, weight, gradient, velocity in zip(rates, weights, gradients, velocities):
            _fused_step_(rate, (weight,), (gradient,), (velocity,), group)


def _fits_fused(rates: list[float], weights: list, gradients: list, velocities: list, group: dict[str, Any]) -> bool:
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


def _plain_step_(rate: float, weight: Tensor, gradient: Tensor, velocity: Tensor | None, group: dict[str, Any]) -> None:
    if math.isnan(rate):
        return
    if weight.is_complex():
        weight, gradient, velocity = (x if x is None else torch.view_as_real(x) for x in (weight, gradient, velocity))
    # Outside this range s is no float32, though its product with the gradient is.
    wide = torch.promote_types(weight.dtype, torch.float32 if 1e-30 < rate < LARGEST_RATE else torch.float64)
    gradient = gradient.to(wide)
    step = torch.add(-gradient if group["maximize"] else gradient, weight.to(wide), alpha=group["weight_decay"])
    step *= rate
    if velocity is not None:
        momentum = group["momentum"]
        new = torch.add(step, velocity.to(wide), alpha=momentum)
        velocity.copy_(new)
        step = step.add_(new, alpha=momentum) if group["nesterov"] else new
    weight.copy_(weight.to(wide) - step)
