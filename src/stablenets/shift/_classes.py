"""Checks of what classifiers give and take: labels, probabilities and priors over k classes."""

import torch
from torch import Tensor

from stablenets._arguments import finite

# Rows of softmax in half precision sum to 1 up to about 1e-3; logits and counts miss by far more.
ROUNDING = 2e-3


def class_labels(name: str, labels: Tensor, classes: int) -> Tensor:
    """Return ``labels`` as int64 ``(n,)`` if they are integers from 0 to ``classes`` − 1, else raise."""
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.is_complex():
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise TypeError(f"{name} must be a tensor of integers, got {kind}")
    if labels.ndim != 1 or not len(labels):
        raise ValueError(f"{name} must have shape (n,) with n ≥ 1, got {tuple(labels.shape)}")
    low, high = labels.min().item(), labels.max().item()
    if low < 0 or high >= classes:
        raise ValueError(f"{name} must lie in 0 … {classes - 1}, got values from {low} to {high}")
    return labels.long()


def class_counts(name: str, labels: Tensor, classes: int) -> Tensor:
    """Return how often each class occurs, ``(classes,)``, if none is missing, else raise."""
    counts = torch.bincount(labels, minlength=classes)
    if not counts.all():
        missing = (counts == 0).nonzero().flatten().tolist()
        raise ValueError(
            f"{name} must hold every class at least once, got none of class {', '.join(map(str, missing))}"
        )
    return counts


def class_probabilities(name: str, probabilities: Tensor, classes: int | None = None) -> Tensor:
    """Return ``probabilities``, detached, if it is ``(n, classes)`` with rows that are ≥ 0 and sum to 1, else raise."""
    if not isinstance(probabilities, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(probabilities).__name__}")
    shape = tuple(probabilities.shape)
    if len(shape) != 2 or not shape[0] or shape[1] < 2 or (classes is not None and shape[1] != classes):
        expected = "k) with k ≥ 2" if classes is None else f"{classes})"
        raise ValueError(f"{name} must have shape (n, {expected} and n ≥ 1, got {shape}")
    if not probabilities.is_floating_point():
        raise TypeError(f"{name} must be floating point, got {probabilities.dtype}")
    probabilities = probabilities.detach()
    error = (probabilities.sum(1) - 1).abs().max().item()
    # Written so that NaN fails too: two passes over the data instead of four. amin() takes half the time of min().
    if not error <= ROUNDING or probabilities.amin() < 0:
        finite(name, probabilities)
        lowest = probabilities.min().item()
        raise ValueError(
            f"{name} must have rows ≥ 0 that sum to 1, got a minimum of {lowest:.4g} and an error of {error:.4g}"
        )
    return probabilities


def class_prior(name: str, prior: Tensor, classes: int, *, positive: bool = False) -> Tensor:
    """Return ``prior`` as float64 ``(classes,)`` if it is a distribution (> 0 if ``positive``), else raise."""
    prior = finite(name, prior).detach().double()
    if prior.shape != (classes,):
        raise ValueError(f"{name} must have shape ({classes},), got {tuple(prior.shape)}")
    total, lowest = prior.sum().item(), prior.min().item()
    if abs(total - 1) > ROUNDING or lowest < 0 or (positive and lowest == 0):
        bound = "> 0" if positive else "≥ 0"
        raise ValueError(f"{name} must be {bound} and sum to 1, got a minimum of {lowest:.4g} and a sum of {total:.4g}")
    return prior / total
