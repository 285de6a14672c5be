"""Detect shift through the eyes of a trained model, whose outputs are few where the inputs have many features."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from stablenets._arguments import choice, finite
from stablenets.shift.result import TestResult, permutation_p_value
from stablenets.shift.two_sample import CORRECTIONS, Correction, univariate_test

# The chi-square law holds well where no class expects fewer points than this (Cochran, 1954).
SMALLEST_EXPECTED = 5
TABLES = 9999


def black_box_test(
    model: Callable[[Tensor], Tensor],
    source: Tensor,
    target: Tensor,
    *,
    outputs: Literal["probabilities", "labels"] = "probabilities",
    correction: Correction = "holm",
    generator: torch.Generator | None = None,
) -> TestResult:
    """Test whether a classifier's outputs have one law on two samples.

    "probabilities" compares the softmax outputs, one Kolmogorov–Smirnov test a class, corrected for their number.
    "labels" compares how often each class is predicted, a_j times on the n source and c_j on all N = n + m points, by

        χ² = N²/(nm) (Σⱼ a_j²/c_j − n²/N),

    with the χ² law where every class expects at least 5 points in both samples, and else with 9999 random tables of the
    same margins. A shift that the outputs do not show stays unseen; under label shift, the labels show it whenever the
    confusion matrix is invertible. Give data that the model was not trained on: training points alone look shifted.

    Args:
        model: gives logits ``(n, k)``, k ≥ 2; used as it is, so call its ``eval()`` before.
        source: ``(n, …)``, n ≥ 1.
        target: ``(m, …)``, m ≥ 1.
        outputs: what is compared.
        correction: for the probabilities, as in :func:`~stablenets.shift.two_sample.univariate_test`.
        generator: draws the random tables; without it they are the same in each call.

    Returns:
        Largest distance and smallest adjusted p-value, or χ² and its p-value.

    Raises:
        TypeError: where source, target or the outputs are no tensors.
        ValueError: for empty or infinite samples, outputs of a wrong shape or not finite, unknown options.

    >>> x = torch.arange(100.0)[:, None]
    >>> model = lambda x: torch.cat([x - 50, 50 - x], dim=1)
    >>> round(black_box_test(model, x, x + 25, outputs="labels").statistic, 4)
    13.3333

    Source: Lipton et al. (2018), section 3; Rabanser et al. (2019), their BBSDs and BBSDh.
    """
    choice("outputs", outputs, ["probabilities", "labels"])
    choice("correction", correction, CORRECTIONS)
    first, second = _logits("source", model, source), _logits("target", model, target)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"model must give as many classes on target as on source, {first.shape[1]}, got {second.shape[1]}"
        )
    if outputs == "probabilities":
        return univariate_test(first.softmax(1), second.softmax(1), correction=correction)
    counts = [torch.bincount(logits.argmax(1), minlength=first.shape[1]) for logits in (first, second)]
    return _homogeneity(counts[0], counts[1], generator)


def _logits(name: str, model: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    finite(name, points)
    if not points.ndim or not len(points):
        raise ValueError(f"{name} must have shape (n, …) with n ≥ 1, got {tuple(points.shape)}")
    with torch.no_grad():
        logits = finite(f"model({name})", model(points))
    if logits.ndim != 2 or len(logits) != len(points) or logits.shape[1] < 2:
        raise ValueError(
            f"model({name}) must have shape ({len(points)}, k) with k ≥ 2, one row a point, got {tuple(logits.shape)}"
        )
    return logits.double()


def _homogeneity(first: Tensor, second: Tensor, generator: torch.Generator | None) -> TestResult:
    """Pearson's test that two rows of counts, each ``(k,)``, have one distribution."""
    seen = first + second > 0
    first, columns = first[seen].cpu(), (first + second)[seen].cpu()
    n, total = int(first.sum()), int(columns.sum())
    statistic = _chi_square(first, columns)
    if len(columns) == 1:
        return TestResult(statistic.item(), 1.0)
    if columns.min() * min(n, total - n) >= SMALLEST_EXPECTED * total:
        half_degrees = torch.tensor((len(columns) - 1) / 2, dtype=torch.float64)
        return TestResult(statistic.item(), torch.special.gammaincc(half_degrees, statistic / 2).item())
    generator = generator or torch.Generator().manual_seed(0)
    draws = np.random.default_rng(torch.randint(2**62, (), generator=generator).item())
    tables = torch.from_numpy(draws.multivariate_hypergeometric(columns.numpy(), n, size=TABLES, method="marginals"))
    p_value = permutation_p_value(statistic.item(), _chi_square(tables, columns), tie=1e-9 * (1 + statistic.item()))
    return TestResult(statistic.item(), p_value)


def _chi_square(counts: Tensor, columns: Tensor) -> Tensor:
    n, total = counts.sum(-1)[..., None].double(), columns.sum()
    expected = columns * n / total
    # The other row departs from its expectation by as much, so both together give the factor N/m.
    return ((counts - expected).square() / expected).sum(-1) * (total / (total - n[..., 0]))
