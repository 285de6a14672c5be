"""One step of momentum with the learning rate inside the velocity: v ← m v ± s (g + β w), then w ← w − v."""

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


# s, w, g and v, which is None without momentum.
Update = tuple[float, Tensor, Tensor, Tensor | None]


def step_(updates: list[Update], group: dict[str, Any]) -> None:
    """Move each weight by its rate s, in one pass over it where that is exact to its precision."""
    moves, can_fuse = group["momentum"] > 0, FUSED is not None and not group["nesterov"]
    together: dict[tuple[float, torch.dtype], list[Update]] = {}
    for update in updates:
        rate, weight, gradient, velocity = update
        if can_fuse and _fits_fused(rate, weight, gradient, velocity):
            together.setdefault((rate, weight.dtype), []).append(update)
        elif weight.is_complex():
            pairs = [tensor if tensor is None else torch.view_as_real(tensor) for tensor in update[1:]]
            step_([(rate, *pairs)], group)
        else:
            _plain_step_(*update, group)
    for (rate, _), alike in together.items():
        _, weights, gradients, velocities = zip(*alike)
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


def _fits_fused(rate: float, weight: Tensor, gradient: Tensor, velocity: Tensor | None) -> bool:
    smallest = SMALLEST_RATE.get(weight.dtype)
    if smallest is None or not smallest < rate < LARGEST_RATE or not weight.is_cpu:
        return False
    return weight.is_contiguous() and gradient.is_contiguous() and (velocity is None or velocity.is_contiguous())


def _plain_step_(rate: float, weight: Tensor, gradient: Tensor, velocity: Tensor | None, group: dict[str, Any]) -> None:
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
