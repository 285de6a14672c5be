"""Layer-wise adaptive rate scaling: SGD with momentum whose step on each tensor follows the norm of its weights.

From top to bottom: the trust ratio λ of a tensor, one step on it, and the optimizer that takes such steps on all. What
the optimizer does with many like tensors at once, in fewer passes over memory, stands in `_fused.py`.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from stablenets._arguments import choice, finite, non_negative, positive
from stablenets._sums import all_finite, norm, norms
from stablenets.optim._fused import LARGEST_RATE, Alike, fused_steps_

# The least number of dimensions of the tensors that a group adapts.
ADAPT: dict[str, float] = {"weights": 2, "all": 0, "none": math.inf}
DENSE = torch.strided


def trust_ratio(
    weight: Tensor, gradient: Tensor, *, weight_decay: float = 0.0, trust_coefficient: float = 0.001
) -> float:
    """Return the local learning rate of LARS, λ = η ‖w‖ / (‖g‖ + β ‖w‖), with Euclidean norms over all entries.

    Args:
        weight: w, of any shape and floating or complex type.
        gradient: g, of any shape.
        weight_decay: β ≥ 0.
        trust_coefficient: η > 0, the relative size of a step at learning rate 1 where β = 0.

    Returns:
        λ ≥ 0; it is 0 where w = 0, and where nothing is to be scaled (g = 0 and β = 0).

    Raises:
        ValueError: a tensor has NaN or infinite entries, or an option is out of range.

    >>> round(trust_ratio(torch.tensor([3.0, 4.0]), torch.tensor([0.6, 0.8]), weight_decay=0.1), 6)
    0.003333

    Source: You, Gitman and Ginsburg (2017), Large Batch Training of Convolutional Networks, Algorithm 1.
    """
    non_negative("weight_decay", weight_decay)
    positive("trust_coefficient", trust_coefficient)
    weight_norm, gradient_norm = norm(finite("weight", weight)), norm(finite("gradient", gradient))
    return _ratio(weight_norm, gradient_norm, weight_decay, trust_coefficient)


def _ratio(weight_norm: float, gradient_norm: float, weight_decay: float, trust_coefficient: float) -> float:
    # λ = η ‖w‖ / (‖g‖ + β ‖w‖)
    denominator = gradient_norm + weight_decay * weight_norm
    return trust_coefficient * weight_norm / denominator if denominator else 0.0


def step_(rate: float, weight: Tensor, gradient: Tensor, velocity: Tensor | None, group: dict[str, Any]) -> None:
    """Move one tensor by a step of LARS; a rate of NaN leaves it alone.

    Args:
        rate: γ λ, the learning rate times the trust ratio.
        weight: w, changed in place.
        gradient: g, only read.
        velocity: v, changed in place; None without momentum.
        group: the options β, m, ``nesterov`` and ``maximize`` of a parameter group.
    """
    if math.isnan(rate):
        return
    if weight.is_complex():
        weight, gradient, velocity = (x if x is None else torch.view_as_real(x) for x in (weight, gradient, velocity))
    # Outside this range s is no float32, though its product with the gradient is.
    wide = torch.promote_types(weight.dtype, torch.float32 if 1e-30 < rate < LARGEST_RATE else torch.float64)
    w, g = weight.to(wide), -gradient.to(wide) if group["maximize"] else gradient.to(wide)
    # γ λ (g + β w)
    step = torch.add(g, w, alpha=group["weight_decay"]).mul_(rate)
    if velocity is not None:
        # v ← m v + γ λ (g + β w)
        v = torch.add(step, velocity.to(wide), alpha=group["momentum"])
        velocity.copy_(v)
        # The velocity one step ahead is m v + γ λ (g + β w).
        step = step.add_(v, alpha=group["momentum"]) if group["nesterov"] else v
    # w ← w − v
    weight.copy_(w - step)


class LARS(Optimizer):
    """SGD with momentum in which each tensor's learning rate is γ times its own :func:`trust_ratio` λ.

    With learning rate γ, momentum m, weight decay β and trust coefficient η, a step on the tensor w with gradient g is

        λ = η ‖w‖ / (‖g‖ + β ‖w‖),   v ← m v + γ λ (g + β w),   w ← w − v.

    The length of γ λ g does not depend on the scale of g: a layer moves by at most about γ η of its own length, so no
    gradient is too large or too small, and no threshold is involved. What the formula leaves open is settled so:

    - Tensors with fewer than two dimensions (biases, normalisation) have λ = 1: plain SGD at rate γ, with the same
      momentum and weight decay. Where γ is large, give them a group with their own ``lr``, or choose η = 1 and a γ a
      thousand times smaller, which leaves the steps of the adapted tensors as they were.
    - An adapted tensor of zeros has λ = 0 and stays zero. With g = 0, weight decay shrinks w by γ η w, for any β > 0.
    - The gradient is only read. Complex tensors count as pairs of reals. Sparse gradients are refused.
    - Norms are right to float32's precision at any size and scale, float16 and bfloat16 included; the velocity has the
      type of the parameter.
    - Every norm is taken before anything is written, and read back as a Python number: a step cannot be captured in a
      CUDA graph. On CPU one pass updates a tensor; on other devices a plain loop gives the same values.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and any of the options below.
        lr: γ ≥ 0, a number or a tensor with one entry.
        momentum: m, 0 ≤ m < 1.
        weight_decay: β ≥ 0; it enters both the update and λ.
        trust_coefficient: η > 0.
        nesterov: step by m v + γ λ (g + β w), the velocity one step ahead; needs m > 0.
        maximize: climb instead: −g in place of g.
        adapt: which tensors have λ ≠ 1: ``"weights"`` (two dimensions or more), ``"all"`` or ``"none"``.
        non_finite: ``"raise"`` an error, with nothing written, if a gradient or an adapted tensor has NaN or infinite
            entries, or ``"skip"`` that tensor for this step and log its λ as NaN.

    Raises:
        ValueError: an option is out of range, or at a step a gradient is sparse or not finite.
        TypeError: ``nesterov`` or ``maximize`` is no truth value.

    >>> weight = torch.nn.Parameter(torch.tensor([[3.0, 4.0]]))
    >>> optimizer = LARS([("weight", weight)], lr=1.0, weight_decay=0.1)
    >>> weight.grad = torch.tensor([[0.6, 0.8]])
    >>> optimizer.step()
    >>> [round(w, 4) for w in weight[0].tolist()], round(optimizer.trust_ratios()["weight"], 6)
    ([2.997, 3.996], 0.003333)

    Source: You, Gitman and Ginsburg (2017), Algorithm 1. Many implementations keep γ outside the velocity, w ← w − γ v:
    the same at a constant γ, but there a change of γ rescales the steps already in the velocity; here they keep their
    length.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float | Tensor,
        *,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 0.001,
        nesterov: bool = False,
        maximize: bool = False,
        adapt: str = "weights",
        non_finite: str = "raise",
    ):
        options = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust_coefficient": trust_coefficient,
            "nesterov": nesterov,
            "maximize": maximize,
            "adapt": adapt,
            "non_finite": non_finite,
        }
        _check_options(options)
        self._alike: dict[int, Alike] = {}
        super().__init__(params, options)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own; what the group does not name is as in the constructor."""
        if isinstance(param_group, dict):
            _check_options(self.defaults | param_group)
        super().add_param_group(param_group)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: evaluates the loss anew, with its gradients, before the update.

        Returns:
            What the closure returned, or None without one.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        # Every norm before the first write, so that an error leaves all as it was.
        plans = [self._plan(index) for index in range(len(self.param_groups))]
        for group, plan in zip(self.param_groups, plans):
            for weights, gradients, ratios in plan:
                self._move_(weights, gradients, ratios, group)
        return loss

    def trust_ratios(self) -> dict[str, float]:
        """Return λ of the last step of every parameter that took one, by name, or by place where it has no name."""
        return {
            self._name(parameter): self.state[parameter]["trust_ratio"]
            for group in self.param_groups
            for parameter in group["params"]
            if "trust_ratio" in self.state.get(parameter, ())
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._alike = {}
        for parameter, kept in self.state.items():
            self._check_shape("momentum_buffer", parameter, kept.get("momentum_buffer"))

    def _plan(self, index: int) -> list[tuple[list[Tensor], list[Tensor], list[float]]]:
        """Return weights, gradients and λ of the parameters that have a gradient, those of like tensors together."""
        group = self.param_groups[index]
        _check_options(group)
        moving = [weight for weight in group["params"] if weight.grad is not None]
        alike = self._alike.setdefault(index, Alike())
        if not alike.holds(moving):
            for weight in moving:
                self._follow(weight)
            alike.sort(moving)
        plan = []
        for weights in alike.lists:
            gradients = [weight.grad for weight in weights]
            for weight, gradient in zip(weights, gradients):
                if gradient.layout is not DENSE:
                    raise ValueError(f"{self._name(weight)} must have a dense gradient, got {gradient.layout}")
            plan.append((weights, gradients, self._ratios(weights, gradients, group)))
        return plan

    def _follow(self, weight: Tensor) -> None:
        """Give the velocity the shape, type and device that ``weight.data`` was given."""
        self._check_shape("gradient", weight, weight.grad)
        velocity = self.state.get(weight, {}).get("momentum_buffer")
        if velocity is not None:
            velocity = velocity.reshape(weight.shape) if velocity.numel() == weight.numel() else velocity
            self._check_shape("momentum_buffer", weight, velocity)
            self.state[weight]["momentum_buffer"] = velocity.to(weight.device, weight.dtype)

    def _check_shape(self, what: str, parameter: Tensor, other: Tensor | None) -> None:
        if other is not None and other.shape != parameter.shape:
            raise ValueError(
                f"{self._name(parameter)} has the shape {tuple(parameter.shape)}, and must have a {what} "
                f"of the same shape, got {tuple(other.shape)}"
            )

    def _ratios(self, weights: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> list[float]:
        """Return λ of like tensors by the rules of their group, NaN for one that is to be skipped."""
        if weights[0].ndim < ADAPT[group["adapt"]]:
            if all_finite(gradients):
                return [1.0] * len(gradients)
            ratios = [1.0 if all_finite([gradient]) else math.nan for gradient in gradients]
        else:
            lengths, decay, coefficient = norms(weights + gradients), group["weight_decay"], group["trust_coefficient"]
            pairs = list(zip(lengths, lengths[len(weights) :]))
            ratios = [_ratio(*pair, decay, coefficient) for pair in pairs]
            if math.isfinite(sum(lengths) + sum(ratios)):
                return ratios
            ratios = [ratio if math.isfinite(sum(pair) + ratio) else math.nan for pair, ratio in zip(pairs, ratios)]
        if group["non_finite"] == "raise":
            for weight, gradient, ratio in zip(weights, gradients, ratios):
                if math.isnan(ratio):
                    raise ValueError(
                        f"{self._name(weight)} must be finite with a finite gradient, got ‖w‖ = {norm(weight):.3g} and "
                        f"‖g‖ = {norm(gradient):.3g}; nothing was updated"
                    )
        return ratios

    def _move_(self, weights: list[Tensor], gradients: list[Tensor], ratios: list[float], group: dict) -> None:
        lr, moves = float(group["lr"]), group["momentum"] > 0
        states = list(map(self.state.__getitem__, weights))
        for weight, state, ratio in zip(weights, states, ratios):
            state["trust_ratio"] = ratio
            if moves and "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(weight)
        velocities = [state["momentum_buffer"] if moves else None for state in states]
        rates = [lr * ratio for ratio in ratios]
        if not fused_steps_(rates, weights, gradients, velocities, group):
            for rate, weight, gradient, velocity in zip(rates, weights, gradients, velocities):
                if not fused_steps_([rate], [weight], [gradient], [velocity], group):
                    step_(rate, weight, gradient, velocity, group)

    def _name(self, parameter: Tensor) -> str:
        for index, group in enumerate(self.param_groups):
            for place, other in enumerate(group["params"]):
                if other is parameter:
                    names = group.get("param_names")
                    return names[place] if names else f"parameter {place} of group {index}"
        raise KeyError(parameter)


def _check_options(options: dict[str, Any]) -> None:
    """Raise unless every option of a parameter group is in its range."""
    lr = options["lr"]
    non_negative("lr", lr.item() if isinstance(lr, Tensor) and lr.numel() == 1 else lr)
    if non_negative("momentum", options["momentum"]) >= 1:
        raise ValueError(f"momentum must be below 1, got {options['momentum']!r}")
    non_negative("weight_decay", options["weight_decay"])
    positive("trust_coefficient", options["trust_coefficient"])
    for name in ("nesterov", "maximize"):
        if not isinstance(options[name], bool):
            raise TypeError(f"{name} must be True or False, got {options[name]!r}")
    if options["nesterov"] and options["momentum"] == 0:
        raise ValueError("momentum must be positive where nesterov is True, got 0")
    choice("adapt", options["adapt"], ADAPT)
    choice("non_finite", options["non_finite"], ("raise", "skip"))
