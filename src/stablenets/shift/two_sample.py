"""Tests of one feature at a time, and what to do about testing many."""

from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from stablenets._arguments import choice, finite
from stablenets.shift._samples import sample_pair
from stablenets.shift.kolmogorov import kolmogorov_p_values
from stablenets.shift.result import TestResult

# Numbers that a processor's cache holds.
CACHED = 2**17
Correction = Literal["holm", "bonferroni"]


class KSResult(NamedTuple):
    """Kolmogorov–Smirnov distances D in [0, 1] and their p-values, both ``(d,)`` and float64."""

    statistics: Tensor
    p_values: Tensor


def ks_test(source: Tensor, target: Tensor) -> KSResult:
    """Compare the distribution functions of two samples, feature by feature.

        D = max over t of |#{xᵢ ≤ t}/n − #{yⱼ ≤ t}/m|

    Args:
        source: ``(n, d)``, n ≥ 1; any real type.
        target: ``(m, d)``, m ≥ 1.

    Returns:
        Exact distances, with ties too, and two-sided p-values by
        :func:`~stablenets.shift.kolmogorov.kolmogorov_p_values`: exact for continuous features and n·m ≤ 250 000, the
        limit law beyond, too large where features have ties. They are not corrected for the number of features: see
        :func:`holm`.

    Raises:
        ValueError: for samples of a wrong shape, not finite, or of different widths.

    >>> ks_test(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[2.0], [3.0], [4.0]])).statistics
    tensor([0.3333], dtype=torch.float64)

    Source: Smirnov (1939); Rabanser et al. (2019) for the use on features and on outputs of a model.
    """
    source, target = sample_pair(source, target, least=1)
    n, m = len(source), len(target)
    in_source = (torch.arange(n + m) < n).numpy()
    # As many features at a time as the cache holds. Adding 0 makes one zero of the two.
    few = CACHED // (n + m) + 1
    pooled = (
        torch.cat([x.T, y.T], dim=1).add_(0.0) for x, y in zip(source.split(few, dim=1), target.split(few, dim=1))
    )
    largest = torch.cat([_largest_gaps(rows.cpu().numpy(), in_source) for rows in pooled])
    p_values = kolmogorov_p_values(largest, n, m)
    return KSResult((largest.double() / (n * m)).to(source.device), p_values.to(source.device))


def _largest_gaps(pooled: np.ndarray, in_source: np.ndarray) -> Tensor:
    """nm·D of each row of ``pooled``, whose columns belong to the source where ``in_source`` says so."""
    # As integers, floats keep their order if the bits of the negative ones are turned over. The lowest bit gives way to
    # the label, so that one sort of numbers, with vector instructions, does what else takes a sort of indices.
    bits = pooled.view(np.int64)
    ordered = bits ^ ((bits >> 63) & np.iinfo(np.int64).max)
    keys = np.sort((ordered & -2) | in_source, axis=1)
    from_source, values = (keys & 1).astype(bool), keys >> 1
    differ = values[:, 1:] != values[:, :-1]
    # Without their lowest bit, two different values may have become one. Those of float32 or integers do not have it.
    if not differ.all() and (bits & 1).any():
        order = np.argsort(pooled, axis=1)
        from_source, values = in_source[order], np.take_along_axis(pooled, order, axis=1)
        differ = values[:, 1:] != values[:, :-1]
    # A source point is a step up by m, a target point one down by n.
    gaps = np.abs(np.cumsum(from_source * in_source.size - in_source.sum(), axis=1))
    # The distribution functions are compared after the last of several equal values, not between them.
    gaps[:, :-1] *= differ
    return torch.from_numpy(gaps.max(axis=1))


def bonferroni(p_values: Tensor) -> Tensor:
    """Multiply d p-values by d: rejecting those ≤ α, any true hypothesis is rejected with probability ≤ α.

        p̃ᵢ = min(1, d pᵢ)

    Args:
        p_values: ``(d,)`` in [0, 1], d ≥ 1, however dependent.

    Returns:
        Adjusted p-values, ``(d,)``, float64.

    Raises:
        ValueError: for a wrong shape, or values outside [0, 1].

    >>> bonferroni(torch.tensor([0.01, 0.04, 0.03]))
    tensor([0.0300, 0.1200, 0.0900], dtype=torch.float64)
    """
    p_values = _p_values(p_values)
    return (p_values * len(p_values)).clamp(max=1)


def holm(p_values: Tensor) -> Tensor:
    """Adjust d p-values as :func:`bonferroni` does, but count only the hypotheses that are still open.

    With p₍₁₎ ≤ … ≤ p₍d₎,

        p̃₍ᵢ₎ = max over j ≤ i of min(1, (d − j + 1) p₍ⱼ₎),

    never above Bonferroni's, with the same guarantee.

    Args:
        p_values: ``(d,)`` in [0, 1], d ≥ 1, however dependent.

    Returns:
        Adjusted p-values in the order of the input, ``(d,)``, float64.

    Raises:
        ValueError: for a wrong shape, or values outside [0, 1].

    >>> holm(torch.tensor([0.01, 0.04, 0.03]))
    tensor([0.0300, 0.0600, 0.0600], dtype=torch.float64)

    Source: Holm (1979).
    """
    p_values = _p_values(p_values)
    ordered, order = p_values.sort()
    open_hypotheses = torch.arange(len(p_values), 0, -1, device=p_values.device)
    adjusted = (ordered * open_hypotheses).clamp(max=1).cummax(0).values
    return torch.empty_like(adjusted).scatter_(0, order, adjusted)


CORRECTIONS = {"holm": holm, "bonferroni": bonferroni}


def univariate_test(source: Tensor, target: Tensor, *, correction: Correction = "holm") -> TestResult:
    """Test whether two samples have one law by :func:`ks_test` on each feature, corrected for their number.

    It sees a shift of a single feature well, and none that leaves every feature's own law as it was.

    Args:
        source: ``(n, d)``, n ≥ 1; any real type.
        target: ``(m, d)``, m ≥ 1.
        correction: :func:`holm` or :func:`bonferroni`; the smallest adjusted p-value is the same for both.

    Returns:
        The largest of the d distances, and the smallest adjusted p-value.

    Raises:
        ValueError: as :func:`ks_test`, and for an unknown correction.

    >>> generator = torch.Generator().manual_seed(0)
    >>> x, y = torch.randn(200, 5, generator=generator), torch.randn(200, 5, generator=generator)
    >>> univariate_test(x, y + torch.tensor([0.0, 0, 1, 0, 0])).p_value < 1e-6
    True

    Source: Rabanser et al. (2019), section 3.
    """
    choice("correction", correction, CORRECTIONS)
    statistics, p_values = ks_test(source, target)
    return TestResult(statistics.max().item(), CORRECTIONS[correction](p_values).min().item())


def _p_values(values: Tensor) -> Tensor:
    values = finite("p_values", values)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"p_values must have shape (d,) with d ≥ 1, got {tuple(values.shape)}")
    if values.min() < 0 or values.max() > 1:
        raise ValueError(f"p_values must lie in [0, 1], got values from {values.min():.4g} to {values.max():.4g}")
    return values.double()
