"""Layer-wise adaptive rate scaling: SGD with momentum whose step on each tensor follows the norm of its weights."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from stablenets._sums import norm
from stablenets.optim.alike import Alike
from stablenets.optim.momentum import step_
from stablenets.optim.options import check_options, option_values
from stablenets.optim.ratios import trust_ratios

DENSE = torch.strided
# Weights, gradients and λ of tensors of one kind.
Batch = tuple[list[Tensor], list[Tensor], list[float]]


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
        check_options(options)
        self._checked: dict[int, tuple] = {}
        self._alike: dict[int, Alike] = {}
        super().__init__(params, options)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own; what the group does not name is as in the constructor."""
        if isinstance(param_group, dict):
            check_options(self.defaults | param_group)
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
        for group, batches in zip(self.param_groups, plans):
            lr, moves = float(group["lr"]), group["momentum"] > 0
            for weights, gradients, ratios in batches:
                states = list(map(self.state.__getitem__, weights))
                for weight, state, ratio in zip(weights, states, ratios):
                    state["trust_ratio"] = ratio
                    if moves and "momentum_buffer" not in state:
                        state["momentum_buffer"] = torch.zeros_like(weight)
                velocities = [state["momentum_buffer"] if moves else None for state in states]
                step_([lr * ratio for ratio in ratios], weights, gradients, velocities, group)
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
        self._checked, self._alike = {}, {}
        for parameter, kept in self.state.items():
            velocity = kept.get("momentum_buffer", parameter)
            if velocity.shape != parameter.shape:
                raise ValueError(
                    f"{self._name(parameter)} has the shape {tuple(parameter.shape)}, and must have a momentum_buffer "
                    f"of the same shape, got {tuple(velocity.shape)}"
                )

    def _plan(self, index: int) -> list[Batch]:
        """Return the parameters that have a gradient, those of one kind together, with both and their λ."""
        group = self.param_groups[index]
        self._check(index)
        alike = self._alike.setdefault(index, Alike())
        plan = []
        for weights in alike.of([parameter for parameter in group["params"] if parameter.grad is not None]):
            gradients = [weight.grad for weight in weights]
            for weight, gradient in zip(weights, gradients):
                if gradient.layout is not DENSE:
                    raise ValueError(f"{self._name(weight)} must have a dense gradient, got {gradient.layout}")
            plan.append((weights, gradients, self._ratios(weights, gradients, group)))
        return plan

    def _ratios(self, weights: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> list[float]:
        ratios = trust_ratios(weights, gradients, group)
        if group["non_finite"] == "raise" and math.isnan(sum(ratios)):
            for weight, gradient, ratio in zip(weights, gradients, ratios):
                if math.isnan(ratio):
                    raise ValueError(
                        f"{self._name(weight)} must be finite with a finite gradient, got ‖w‖ = {norm(weight):.3g} and "
                        f"‖g‖ = {norm(gradient):.3g}; nothing was updated"
                    )
        return ratios

    def _check(self, index: int) -> None:
        group = self.param_groups[index]
        options = option_values(group)
        # Only what changed is checked again; a tensor can change without notice.
        if options != self._checked.get(index) or isinstance(group["lr"], Tensor):
            check_options(group)
            self._checked[index] = options

    def _name(self, parameter: Tensor) -> str:
        for index, group in enumerate(self.param_groups):
            for place, other in enumerate(group["params"]):
                if other is parameter:
                    names = group.get("param_names")
                    return names[place] if names else f"parameter {place} of group {index}"
        raise KeyError(parameter)
