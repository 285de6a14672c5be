"""Risk under the target from losses under the source, and training that minimises it."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import torch
from torch import Tensor, nn

from stablenets._arguments import finite, positive_integer, within
from stablenets.shift.weights import effective_sample_size, positive_weights


class Risk(NamedTuple):
    """Estimated risk, its standard error, a confidence interval and the effective sample size of the weights."""

    value: float
    standard_error: float
    lower: float
    upper: float
    effective_sample_size: float


def weighted_risk(losses: Tensor, weights: Tensor, *, self_normalized: bool = False, confidence: float = 0.95) -> Risk:
    """Estimate the mean loss under the target, E_q[ℓ] = E_p[β ℓ], from losses under the source.

    The value is (1/n) Σ βᵢℓᵢ, or Σ βᵢℓᵢ / Σ βᵢ if self-normalised. The first is unbiased if β is exact. The second
    does not change with the scale of β, needs its shape only, and mostly varies less, but has a bias of order 1/n.

    Args:
        losses: ``(n,)``, n ≥ 2, of points drawn from the source.
        weights: β at these points, ``(n,)``, ≥ 0, not all zero. Their own uncertainty is not in the interval.
        self_normalized: divide by the sum of the weights instead of n.
        confidence: of the interval from the normal approximation, 0 to 1, excluded. It needs a large effective sample
            size: where no source point fell on heavy weights, the interval is too short, and nothing here can tell.

    Raises:
        ValueError: if the shapes differ, n < 2, an entry is not finite, or a weight is negative.

    >>> risk = weighted_risk(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([2.0, 1.0, 1.0, 0.0]))
    >>> print(f"{risk.value:.2f} ± {risk.standard_error:.2f}")
    1.75 ± 0.63

    Source: Owen (2013), Monte Carlo theory, methods and examples, chapter 9.
    """
    losses = finite("losses", losses).detach().double()
    if losses.ndim != 1 or len(losses) < 2:
        raise ValueError(f"losses must have shape (n,) with n ≥ 2, got {tuple(losses.shape)}")
    weights = positive_weights(weights)
    if len(weights) != len(losses):
        raise ValueError(f"weights must have one entry per loss, {len(losses)}, got {len(weights)}")
    if within("confidence", confidence, 0, 1) in (0, 1):
        raise ValueError(f"confidence must be a number in (0, 1), got {confidence}")
    n = len(losses)
    scale = weights.sum().item() if self_normalized else n
    value = (weights @ losses).item() / scale
    # To first order the ratio of sums varies as the mean of βᵢ(ℓᵢ − value), whose mean is 0.
    deviations = weights * (losses - value) if self_normalized else weights * losses - value
    error = math.sqrt(n / (n - 1)) * torch.linalg.vector_norm(deviations).item() / scale
    half = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Risk(value, error, value - half, value + half, effective_sample_size(weights))


def fit_weighted(
    model: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    y: Tensor,
    weights: Tensor,
    *,
    optimizer: torch.optim.Optimizer,
    steps: int,
    batch_size: int | None = None,
    generator: torch.Generator | None = None,
) -> list[float]:
    """Minimise the weighted empirical risk (1/n) Σ βᵢ ℓ(model(xᵢ), yᵢ).

    Mini-batches are drawn without replacement, each point as often as any other, and the mean over a batch of βᵢℓᵢ
    is an unbiased estimate of the risk. Large weights make it noisy: divide them by their mean, clip, or take larger
    batches, rather than dividing by the sum of each batch, which is biased.

    Args:
        model: changed in place; left in training mode.
        loss: takes outputs and targets of a batch and returns one loss a point, ``(batch,)``: ``reduction="none"``.
        x: inputs ``(n, …)``.
        y: targets ``(n, …)``.
        weights: ``(n,)``, ≥ 0, not all zero.
        optimizer: built over the model's parameters.
        steps: number of updates.
        batch_size: 1 to n; an incomplete last batch of an epoch is skipped. None takes all points at each step.
        generator: draws the order of the points; needed with ``batch_size`` only.

    Returns:
        The weighted risk of the batch before each update, ``steps`` of them. Training stops at the first that is not
        finite, and every later entry is NaN.

    Raises:
        ValueError: if the lengths differ, ``loss`` does not return ``(batch,)``, or ``generator`` is missing.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> x = y = torch.tensor([[1.0], [2.0]])
    >>> squared = lambda outputs, targets: (outputs - targets).square().sum(1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> losses = fit_weighted(model, squared, x, y, torch.tensor([1.0, 0.0]), optimizer=optimizer, steps=200)
    >>> print(f"{model.weight.item():.4f}")
    1.0000

    Source: Shimodaira (2000), who weights a log-likelihood.
    """
    positive_integer("steps", steps)
    if not len(x) == len(y) == len(positive_weights(weights)):
        raise ValueError(f"x, y and weights must have the same length, got {len(x)}, {len(y)} and {len(weights)}")
    size = len(x) if batch_size is None else positive_integer("batch_size", batch_size)
    if size > len(x):
        raise ValueError(f"batch_size must be at most the number of points, {len(x)}, got {batch_size}")
    if batch_size is not None and generator is None:
        raise ValueError("generator must be given with batch_size, got None")
    model.train()
    risks = [math.nan] * steps
    batches: list[Tensor | slice] = []
    for step in range(steps):
        if not batches:
            batches = [slice(None)] if batch_size is None else _batches(len(x), size, generator)
        batch = batches.pop()
        losses = loss(model(x[batch]), y[batch])
        if losses.shape != (size,):
            raise ValueError(f"loss must return one value a point, shape ({size},), got {tuple(losses.shape)}")
        risk = (losses * weights[batch].to(losses)).mean()
        risks[step] = risk.item()
        if not math.isfinite(risks[step]):
            break
        optimizer.zero_grad()
        risk.backward()
        optimizer.step()
    return risks


def _batches(n: int, size: int, generator: torch.Generator) -> list[Tensor]:
    order = torch.randperm(n, generator=generator)
    return list(order[: n // size * size].split(size))
