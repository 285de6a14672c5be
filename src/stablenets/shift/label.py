"""Label shift: P(y) moves from source to target and P(x | y) stays, as when a disease spreads but its symptoms do not.

The new prior can then be read from unlabelled target data by two routes. One asks how often each class is predicted,
and undoes the confusions measured on the source: `stablenets.shift.confusion`. The other is maximum likelihood,
`em_prior`: it uses all that the probabilities say, and so needs them calibrated (`stablenets.shift.calibration`).
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stablenets._arguments import positive_integer, within
from stablenets.shift._classes import class_prior, class_probabilities

# Numbers that a processor's cache holds.
CACHED = 2**17


class EMPrior(NamedTuple):
    """The target's prior and class weights ``(k,)``, a bound on the log-likelihood missed, and the passes made."""

    prior: Tensor
    weights: Tensor
    gap: float
    iterations: int


def em_prior(
    probabilities: Tensor, source_prior: Tensor, *, tolerance: float = 1e-5, max_iterations: int = 10_000
) -> EMPrior:
    """Estimate the target's prior q by maximum likelihood from a model's probabilities for unlabelled target data.

    maximise ℓ(π) = mean_i ln Σ_j L_ij π_j,  L_ij = p(j | x_i) / p_j,  by  π_j ← π_j g_j,  g_j = mean_i L_ij / (Lπ)_i.

    Each step of expectation–maximisation (EM) raises ℓ, which is concave, so that gap = max_j g_j − 1 bounds what is
    missing to its maximum: the answer comes with its certificate. Two steps show where EM is heading; the next starts
    from there if ℓ has risen on the way (SQUAREM).

    Args:
        probabilities: p(j | x_i) ``(n, k)`` for target data, of a model calibrated on the source; overconfident ones
            bias q.
        source_prior: p ``(k,)``, the prior behind the probabilities, all > 0.
        tolerance: largest gap accepted, in nats per example, at least 1e-12.
        max_iterations: passes over the data at most.

    Returns:
        Prior q, weights q / p, the gap and the number of passes.

    Raises:
        ValueError: rows that are no probabilities, a prior that is none or has zeros, ``tolerance`` below 1e-12.
        RuntimeError: the gap is still above ``tolerance`` after ``max_iterations``.

    >>> probabilities = torch.tensor([[0.8, 0.2], [0.8, 0.2], [0.2, 0.8]])
    >>> em_prior(probabilities, torch.tensor([0.5, 0.5]), tolerance=1e-9).prior  # not 2/3: .8 is no certainty
    tensor([0.7778, 0.2222], dtype=torch.float64)

    Source: Saerens, Latinne and Decaestecker (2002); the acceleration is that of Varadhan and Roland (2008), scheme S3.
    """
    probabilities = class_probabilities("probabilities", probabilities).double()
    source_prior = class_prior("source_prior", source_prior, probabilities.shape[1], positive=True)
    tolerance = within("tolerance", tolerance, 1e-12, 1)
    rows, shares = probabilities.cpu().numpy(), source_prior.cpu().numpy()
    size = CACHED // rows.shape[1] + 1
    blocks = [rows[start : start + size] for start in range(0, len(rows), size)]
    # The EM steps since the last jump, and where to land if that jump fails. The first step leads from the source prior
    # to the mean of the probabilities, which rounding may keep from a sum of 1: the certificate needs one.
    means = rows.mean(axis=0)
    path, safe = [shares, means / means.sum()], None
    for iteration in range(1, positive_integer("max_iterations", max_iterations) + 1):
        weights = path[-1] / shares
        # A block is still in the cache when it is read again. Products as wide as these are faster in numpy.
        factors = sum((1 / (block @ weights)) @ block for block in blocks) / (len(rows) * shares)
        gap = factors.max().item() - 1
        if gap <= tolerance:
            prior = torch.from_numpy(path[-1]).to(source_prior)
            return EMPrior(prior, prior / source_prior, max(gap, 0.0), iteration)
        # The factors are the gradient of ℓ: while it still points ahead, concave ℓ has not fallen since the start.
        if len(path) == 1 and safe is not None and factors @ (path[0] - safe) < 0:
            path, safe = [safe], None
            continue
        path.append(path[-1] * factors)
        if len(path) == 3:
            path, safe = [_jump(*path)], path[-1]
    raise RuntimeError(
        f"EM left a gap of {gap:.3g} after {max_iterations} iterations, above the tolerance {tolerance:g}"
    )


def adjust(probabilities: Tensor, source_prior: Tensor, target_prior: Tensor) -> Tensor:
    """Return the probabilities that a model would give had it been trained under the target's prior.

    q(j | x) = p(j | x) w_j / Σ_l p(l | x) w_l,  w = target_prior / source_prior.

    Args:
        probabilities: p(j | x) ``(n, k)``, calibrated under ``source_prior``.
        source_prior: ``(k,)``, all > 0.
        target_prior: ``(k,)``.

    Returns:
        Tensor ``(n, k)`` of the type of ``probabilities``.

    Raises:
        ValueError: rows or priors that are no distributions, or a row that gives all to classes the target lacks.

    >>> adjust(torch.tensor([[0.5, 0.5]]), torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1]))
    tensor([[0.9000, 0.1000]])

    Source: Saerens, Latinne and Decaestecker (2002).
    """
    probabilities = class_probabilities("probabilities", probabilities)
    source_prior = class_prior("source_prior", source_prior, probabilities.shape[1], positive=True)
    target_prior = class_prior("target_prior", target_prior, probabilities.shape[1])
    weighted = probabilities * (target_prior / source_prior)
    totals = weighted.sum(1, keepdim=True)
    if not totals.all():
        raise ValueError(
            f"probabilities must leave some to the target's classes, got {int((totals == 0).sum())} rows that do not"
        )
    return (weighted / totals).to(probabilities.dtype)


def _jump(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Return where three EM steps in a row are heading; every class keeps a share, as EM never gives one back."""
    step = second - first
    turn = third - second - step
    length = max(math.sqrt((step @ step) / (turn @ turn)), 1.0) if turn.any() else 1.0
    landing = np.maximum(first + 2 * length * step + length**2 * turn, third / 20)
    return landing / landing.sum()
