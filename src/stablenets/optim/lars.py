"""Layer-wise adaptive rate scaling: SGD with momentum whose step on each tensor follows the norm of its weights."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from stablenets._arguments import finite, non_negative, positive
from stablenets._sums import norm, norms
from stablenets.optim.momentum import step_
from stablenets.optim.options import ADAPT, check_options


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
    denominator = gradient_norm + weight_decay * weight_norm
    return trust_coefficient * weight_norm / denominator if denominator else 0.0


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
        for group, plan in zip(self.param_groups, plans):
            lr, moves, moved = float(group["lr"]), group["momentum"] > 0, []
            for parameter, ratio in plan:
                state = self.state[parameter]
                state["trust_ratio"] = ratio
                if math.isnan(ratio):
                    continue
                if moves and "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                moved.append((lr * ratio, parameter, parameter.grad, state["momentum_buffer"] if moves else None))
            step_(moved, group)
        return loss

    def trust_ratios(self) -> dict[str, float]:
        """Return λ of the last step of every parameter that took one, by name, or by place where it has no name."""
        return {
            self._name(index, place): self.state[parameter]["trust_ratio"]
            for index, group in enumerate(self.param_groups)
            for place, parameter in enumerate(group["params"])
            if "trust_ratio" in self.state.get(parameter, ())
        }

    def _plan(self, index: int) -> list[tuple[Tensor, float]]:
        """Return each parameter that has a gradient, and its λ, NaN where it is to be skipped."""
        group = self.param_groups[index]
        check_options(group)
        adapts = ADAPT[group["adapt"]]
        present, measured = [], []
        for place, parameter in enumerate(group["params"]):
            gradient = parameter.grad
            if gradient is None:
                continue
            if gradient.layout is not torch.strided:
                raise ValueError(f"{self._name(index, place)} must have a dense gradient, got {gradient.layout}")
            adapted = adapts(parameter)
            present.append((place, parameter, adapted))
            measured += (gradient, parameter) if adapted else (gradient,)
        lengths, plan = iter(norms(measured)), []
        for place, parameter, adapted in present:
            gradient_norm, weight_norm, ratio = next(lengths), 0.0, 1.0
            if adapted:
                weight_norm = next(lengths)
                ratio = _ratio(weight_norm, gradient_norm, group["weight_decay"], group["trust_coefficient"])
            if not math.isfinite(weight_norm + gradient_norm + ratio):
                if group["non_finite"] == "raise":
                    raise ValueError(
                        f"{self._name(index, place)} must be finite with a finite gradient, got ‖g‖ = {gradient_norm} "
                        f"and λ = {ratio}; nothing was updated"
                    )
                ratio = math.nan
            plan.append((parameter, ratio))
        return plan

    def _name(self, index: int, place: int) -> str:
        names = self.param_groups[index].get("param_names")
        return names[place] if names else f"parameter {place} of group {index}"
