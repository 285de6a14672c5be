"""Label shift by way of the confusions: undo, in the target's predictions, the errors measured on the source."""

from typing import NamedTuple

import torch
from torch import Tensor

from stablenets._arguments import finite, non_negative, positive, positive_integer, within
from stablenets.shift._classes import ROUNDING, class_counts, class_labels, class_prior, class_probabilities

# Rows that are brought to float64 at a time.
BLOCK = 4096
# Halvings of a bracket of 128 powers of two, down to rounding.
BISECTIONS = 64


class LabelShift(NamedTuple):
    """Importance weights of the classes, q_j / p_j, and the target's prior q, both float64 ``(k,)``."""

    weights: Tensor
    prior: Tensor


def confusion_matrix(predictions: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return the confusions of a classifier, conditional on the true class.

    C_ij = P(ŷ = i | y = j), or with probabilities the mean of p(i | x) over the examples of class j.

    Each column sums to 1. Under label shift C is the same in source and target, which the joint P(ŷ = i, y = j) is not.

    Args:
        predictions: predicted labels ``(n,)``, or probabilities ``(n, k)``, which waste less of what the model knows.
        labels: true labels ``(n,)``, 0 to k − 1, of held-out source data; on training data C would be too good.
        classes: k ≥ 2.

    Returns:
        Float64 tensor ``(k, k)``.

    Raises:
        TypeError: ``labels`` are not integers.
        ValueError: a label or prediction out of range, rows that are no probabilities, a class without an example.

    >>> confusion_matrix(torch.tensor([0, 0, 1, 1, 1]), torch.tensor([0, 0, 0, 1, 1]), classes=2)
    tensor([[0.6667, 0.0000],
            [0.3333, 1.0000]], dtype=torch.float64)

    Source: Lipton, Wang and Smola (2018), who use the joint matrix C · diag(p).
    """
    if positive_integer("classes", classes) < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    labels = class_labels("labels", labels, classes)
    counts = class_counts("labels", labels, classes)
    hard = isinstance(predictions, Tensor) and predictions.ndim == 1
    check = class_labels if hard else class_probabilities
    predictions = check("predictions", predictions, classes)
    if len(predictions) != len(labels):
        raise ValueError(f"predictions and labels must be of one length, got {len(predictions)} and {len(labels)}")
    if hard:
        return (
            torch.bincount(predictions * classes + labels, minlength=classes**2).view(classes, classes)
            / counts.double()
        )
    sums = torch.zeros(classes, classes, dtype=torch.float64)
    for block, true in zip(predictions.split(BLOCK), labels.split(BLOCK)):
        sums.index_add_(0, true, block.double())
    return sums.T / counts


def bbse(
    confusion: Tensor, source_prior: Tensor, target_predictions: Tensor, *, max_condition: float = 1e4
) -> LabelShift:
    """Estimate the target's prior q from the confusions alone, by black-box shift estimation.

    C q = μ,  with μ_i = P(ŷ = i) in the target: the target's predictions are its classes, mixed by C.

    The solution sums to 1 by itself. Noise can make entries negative: they become 0 and the others are divided by
    their sum.

    Args:
        confusion: C ``(k, k)`` of `confusion_matrix`.
        source_prior: p ``(k,)``, the shares of the classes in the source, all > 0.
        target_predictions: μ ``(k,)``, the mean over the target of what went into C, predicted labels or probabilities.
        max_condition: largest ratio of singular values of C accepted; noise in μ is multiplied by up to it.

    Returns:
        Weights q / p and prior q.

    Raises:
        ValueError: wrong shapes, columns or priors that do not sum to 1, or C so near singular that q cannot be told.

    >>> confusion = torch.tensor([[0.9, 0.2], [0.1, 0.8]])
    >>> bbse(confusion, torch.tensor([0.5, 0.5]), torch.tensor([0.34, 0.66])).prior
    tensor([0.2000, 0.8000], dtype=torch.float64)

    Source: Lipton, Wang and Smola (2018), whose system C diag(p) w = μ has the same solution.
    """
    confusion, source_prior, target_predictions = _system(confusion, source_prior, target_predictions)
    singular = torch.linalg.svdvals(confusion)
    condition = (singular[0] / singular[-1]).item()
    if not condition <= positive("max_condition", max_condition):
        raise ValueError(
            f"confusion must have a condition number of at most {max_condition:g}, got {condition:.3g}: it is near "
            "singular, as the classifier hardly tells some classes apart; merge them, or use rlls"
        )
    prior = torch.linalg.solve(confusion, target_predictions).clamp(min=0)
    prior /= prior.sum()
    return LabelShift(prior / source_prior, prior)


def rlls(
    confusion: Tensor,
    source_prior: Tensor,
    target_predictions: Tensor,
    *,
    penalty: float = 0.01,
    shrinkage: float = 1.0,
) -> LabelShift:
    """Estimate the target's prior from the confusions, held towards no shift where they say little.

    w = 1 + γ θ,  θ = argmin ‖A θ − (μ − C p)‖ + Δ s ‖θ‖,  A = C diag(p), s its largest singular value.

    The norms are not squared: so θ is exactly that of `bbse` while Δ is below 1 / (condition number of A), and
    exactly 0 when Δ ≥ 1. Weights below 0 become 0, and the prior w · p is divided by its sum. A singular C is no
    obstacle.

    Args:
        confusion: C ``(k, k)`` of `confusion_matrix`.
        source_prior: p ``(k,)``, all > 0.
        target_predictions: μ ``(k,)``, as for `bbse`.
        penalty: Δ ≥ 0, to shrink as 1/√n; theory asks for the size of the error of A, relative to s.
        shrinkage: γ from 0, no correction, to 1; smaller when the target sample is small.

    Returns:
        Weights q / p and prior q.

    Raises:
        ValueError: wrong shapes, columns or priors that do not sum to 1, ``penalty`` < 0, ``shrinkage`` outside [0, 1].

    >>> confusion = torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    >>> rlls(confusion, torch.tensor([0.3, 0.7]), torch.tensor([0.5, 0.5])).prior
    tensor([0.3000, 0.7000], dtype=torch.float64)

    Source: Azizzadenesheli, Liu, Yang and Anandkumar (2019). They keep w ≥ 0 inside the
    minimisation and take Δ without s, so that its meaning changes with the number of classes.
    """
    confusion, source_prior, target_predictions = _system(confusion, source_prior, target_predictions)
    penalty = non_negative("penalty", penalty)
    joint = confusion * source_prior
    penalty *= torch.linalg.matrix_norm(joint, 2).item()
    theta = _least_norms(joint, target_predictions - confusion @ source_prior, penalty)
    prior = source_prior * (1 + within("shrinkage", shrinkage, 0, 1) * theta).clamp(min=0)
    prior /= prior.sum()
    return LabelShift(prior / source_prior, prior)


def _system(confusion: Tensor, source_prior: Tensor, target_predictions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    confusion = finite("confusion", confusion).detach().double()
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or len(confusion) < 2:
        raise ValueError(f"confusion must have shape (k, k) with k ≥ 2, got {tuple(confusion.shape)}")
    error = (confusion.sum(0) - 1).abs().max().item()
    if confusion.min() < 0 or error > ROUNDING:
        raise ValueError(f"confusion must have columns P(ŷ | y = j) ≥ 0 that sum to 1, got an error of {error:.4g}")
    prior = class_prior("source_prior", source_prior, len(confusion), positive=True)
    return confusion / confusion.sum(0), prior, class_prior("target_predictions", target_predictions, len(confusion))


def _least_norms(matrix: Tensor, target: Tensor, penalty: float) -> Tensor:
    """Return argmin ‖Aθ − b‖ + Δ‖θ‖, the ridge solution with λ‖θ‖ = Δ‖Aθ − b‖."""
    left, singular, right = torch.linalg.svd(matrix)
    coordinates = left.T @ target
    if (singular * coordinates).norm() <= penalty * coordinates.norm():
        return torch.zeros_like(target)
    # With λ = s_max²·2^e, λ‖θ‖ / ‖Aθ − b‖ grows in e: at low e the solution is that of least squares.
    low, high = -64.0, 64.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        dual = coordinates / (singular.square() + singular[0].square() * 2**middle)
        low, high = (low, middle) if (singular * dual).norm() > penalty * dual.norm() else (middle, high)
    return right.T @ (singular * dual)
