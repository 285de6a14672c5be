"""The local learning rate of LARS, for one tensor and for many."""

import math
from typing import Any

from torch import Tensor

from stablenets._arguments import finite, non_negative, positive
from stablenets._sums import all_finite, norm, norms
from stablenets.optim.options import ADAPT


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

    >>> import torch
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


def trust_ratios(weights: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> list[float]:
    """Return λ of tensors of one shape and type by the rules of their group, NaN where an entry is not finite."""
    if weights[0].ndim < ADAPT[group["adapt"]]:
        if all_finite(gradients):
            return [1.0] * len(gradients)
        return [1.0 if all_finite([gradient]) else math.nan for gradient in gradients]
    lengths, decay, coefficient = norms(weights + gradients), group["weight_decay"], group["trust_coefficient"]
    pairs = list(zip(lengths, lengths[len(weights) :]))
    ratios = [_ratio(*pair, decay, coefficient) for pair in pairs]
    if math.isfinite(sum(lengths) + sum(ratios)):
        return ratios
    return [ratio if math.isfinite(sum(pair) + ratio) else math.nan for pair, ratio in zip(pairs, ratios)]
