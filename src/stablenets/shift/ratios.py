"""Density ratios without a classifier: moments, least squares and maximum likelihood over Gaussian kernels."""

import math

import torch
from torch import Tensor

from stablenets._arguments import positive, positive_integer
from stablenets.shift._kernels import bandwidths, log_kernel, median_distance
from stablenets.shift._matching import match_means
from stablenets.shift._samples import sample_pair
from stablenets.shift.label import em_prior

# Penalties tried where none is given.
PENALTIES = tuple(10.0 ** (k / 2) for k in range(-6, 3))
# Pairs left out in turn to choose by, and nats to be missing at most.
LEFT_OUT, MISSING = 1000, 1e-3
FOLDS = 5


def kmm(source: Tensor, target: Tensor, *, bandwidth: float | None = None, bound: float = 1000.0) -> Tensor:
    """Weigh the source so that its mean in the space of a Gaussian kernel is that of the target (kernel mean matching).

    minimise ‖(1/n_s) Σ wᵢφ(xᵢ) − (1/n_t) Σ φ(tⱼ)‖² over 0 ≤ wᵢ ≤ bound with mean w = 1,
    where ⟨φ(x), φ(y)⟩ = exp(−‖x − y‖²/(2·bandwidth²)).

    Accelerated projected gradients find it to within 1/(10 n_s), which is little beside the chance differences of the
    means. Time and memory grow as n_s².

    Moments are matched, not densities: the optimum gives most points weight 0, and says nothing of other points.

    Args:
        source: ``(n_s, d)``, n_s ≥ 2, features of comparable units.
        target: ``(n_t, d)``, n_t ≥ 2.
        bandwidth: > 0; None for the median distance between points of both samples together.
        bound: largest weight, ≥ 1.

    Returns:
        Weights ``(n_s,)``, float64, of mean 1.

    Raises:
        ValueError: if a sample is not ``(n, d)``, finite, with n ≥ 2, ``bandwidth`` not positive, or ``bound`` below 1.

    >>> source = torch.linspace(-1, 1, 101)[:, None]
    >>> w = kmm(source, source + 0.5)
    >>> bool(w[-1] > w[50] > w[0])
    True

    Source: Huang, Smola, Gretton, Borgwardt and Schölkopf (2007). Their mean may miss 1 by ε; here ε = 0.
    """
    source, target = sample_pair(source, target)
    if positive("bound", bound) < 1:
        raise ValueError(f"bound must be at least 1, the mean of the weights, got {bound}")
    width = median_distance(source, target) if bandwidth is None else positive("bandwidth", bandwidth)
    kernel = log_kernel(source, source, width).exp_()
    matched = torch.cat([log_kernel(block, target, width).exp_().mean(1) for block in source.split(1024)])
    return match_means(kernel, matched, bound)


def ulsif(
    source: Tensor,
    target: Tensor,
    *,
    bandwidth: float | None = None,
    l2: float | None = None,
    centers: int = 100,
    generator: torch.Generator,
) -> Tensor:
    """Fit the density ratio by least squares over Gaussian kernels at target points (uLSIF).

    w(x) = max(0, α)·φ(x), α = (H + l2·I)⁻¹h, H the mean of φφᵀ over the source and h the mean of φ over the target.

    What is not given is chosen by the loss ½(w(xᵢ))² − w(tᵢ) of pairs (xᵢ, tᵢ) left out in turn, in closed form.

    Args:
        source: ``(n_s, d)``, n_s ≥ 2, features of comparable units.
        target: ``(n_t, d)``, n_t ≥ 2.
        bandwidth: > 0; None to choose from 1/8 to 4 median distances.
        l2: penalty ‖α‖², > 0; None to choose from 0.001 to 10.
        centers: number of target points that carry a kernel, at most n_t are taken.
        generator: draws the centers and the pairs.

    Returns:
        Weights ``(n_s,)``, float64, divided by their mean, which least squares leaves near 1.

    Raises:
        ValueError: if a sample is not ``(n, d)``, finite, with n ≥ 2, an option not positive, or all weights are 0.

    >>> generator = torch.Generator().manual_seed(0)
    >>> source = torch.linspace(-1, 1, 101)[:, None]
    >>> w = ulsif(source, source + 0.5, generator=generator)
    >>> bool(w[-1] > w[50] > w[0])
    True

    Source: Kanamori, Hido and Sugiyama (2009), sections 3 and 4. They do not divide by the mean.
    """
    source, target = sample_pair(source, target)
    order = torch.randperm(len(target), generator=generator)
    kernels, others = target[order[: positive_integer("centers", centers)]], order[centers:]
    widths = bandwidths(bandwidth, source, target)
    penalties = PENALTIES if l2 is None else (positive("l2", l2),)
    # A point left out should carry no kernel, unless most do.
    others = others if 2 * len(others) >= len(order) else order
    left_out = min(len(source), len(others), LEFT_OUT)
    pairs = torch.randperm(len(source), generator=generator)[:left_out], others[:left_out]
    best, coefficients, at_source = torch.inf, None, None
    for width in widths:
        in_source, in_target = (log_kernel(x, kernels, width).exp_() for x in (source, target))
        moments, h = in_source.T @ in_source / len(source), in_target.mean(0)
        for penalty in penalties:
            score = _left_out_loss(in_source, in_target, moments, h, penalty, pairs)
            if score < best:
                ridge = torch.linalg.cholesky(moments + penalty * torch.eye(len(h), dtype=h.dtype, device=h.device))
                best, coefficients = score, torch.cholesky_solve(h[:, None], ridge)[:, 0].clamp_(min=0)
                at_source = in_source
    weights = at_source @ coefficients
    if not weights.any():
        raise ValueError("source and target must overlap at the bandwidths tried, got weights that are all 0")
    return weights / weights.mean()


def kliep(
    source: Tensor, target: Tensor, *, bandwidth: float | None = None, centers: int = 100, generator: torch.Generator
) -> Tensor:
    """Fit the density ratio by maximum likelihood over Gaussian kernels at target points (KLIEP).

    maximise mean ln w(tⱼ), w(x) = Σ αₗφₗ(x), α ≥ 0, mean w(xᵢ) = 1. With πₗ = αₗ · mean φₗ(xᵢ) this asks for the shares
    of a mixture, as the prior of shifted labels does, and so the same algorithm finds it, to within 1e-3 nats.

    Args:
        source: ``(n_s, d)``, n_s ≥ 2, features of comparable units.
        target: ``(n_t, d)``, n_t ≥ 5 where the bandwidth is to be chosen, else ≥ 2.
        bandwidth: > 0; None to choose from 1/8 to 4 median distances, by the likelihood of five parts held out in turn.
        centers: number of target points that carry a kernel, ≥ 3, at most n_t are taken.
        generator: draws the centers and the parts.

    Returns:
        Weights ``(n_s,)``, float64, of mean 1.

    Raises:
        ValueError: if a sample is not ``(n, d)``, finite and large enough, or an option not as said.

    >>> generator = torch.Generator().manual_seed(0)
    >>> source = torch.linspace(-1, 1, 101)[:, None]
    >>> w = kliep(source, source + 0.5, generator=generator)
    >>> bool(w[-1] > w[50] > w[0])
    True

    Source: Sugiyama, Suzuki, Nakajima, Kashima, von Bünau and Kawanabe (2008), who ascend the gradient.
    """
    source, target = sample_pair(source, target)
    if positive_integer("centers", centers) < 3:
        raise ValueError(f"centers must be at least 3, got {centers}")
    if bandwidth is None and len(target) < FOLDS:
        raise ValueError(f"target must have at least {FOLDS} points to choose a bandwidth by, got {len(target)}")
    order = torch.randperm(len(target), generator=generator)
    kernels = target[order[:centers]]
    best, weights = -torch.inf, None
    widths = bandwidths(bandwidth, source, target)
    for width in widths:
        in_source, in_target = (log_kernel(x, kernels, width) for x in (source, target))
        # Divided by its mean over the source, each kernel is a ratio by itself; logarithms, as it may be far away.
        means = in_source.logsumexp(0) - math.log(len(source))
        in_source, in_target = in_source - means, in_target - means
        score = _held_out_likelihood(in_target[order]) if len(widths) > 1 else 0.0
        if score > best:
            best, weights = score, in_source.exp() @ _shares(in_target)
    return weights


def _shares(log_ratios: Tensor) -> Tensor:
    """Shares π that maximise the mean of ln(Lπ): the factor of a row does not matter, so that rows can sum to 1."""
    uniform = torch.full_like(log_ratios[0], 1 / log_ratios.shape[1])
    return em_prior(log_ratios.softmax(1), uniform, tolerance=MISSING).prior


def _held_out_likelihood(log_ratios: Tensor) -> float:
    """Mean of ln w(tⱼ) over the rows, w fitted without the row's part, where row j is the center of column j.

    A point held out carries no kernel: it would always be at the top of its own, the more so the narrower that is.
    """
    rows, columns = (torch.arange(size) % FOLDS for size in log_ratios.shape)
    total = 0.0
    for part in range(FOLDS):
        without = log_ratios[:, columns != part]
        total += (without[rows == part] + _shares(without[rows != part]).log()).logsumexp(1).sum().item()
    return total / len(log_ratios)


def _left_out_loss(
    in_source: Tensor, in_target: Tensor, moments: Tensor, h: Tensor, l2: float, pairs: tuple[Tensor, Tensor]
) -> float:
    """Mean of ½w(xᵢ)² − w(tᵢ) over pairs, each with the α of all points but xᵢ and tᵢ (Sherman and Morrison)."""
    n_source, n_target = len(in_source), len(in_target)
    x, t = in_source[pairs[0]], in_target[pairs[1]]
    shrunk = (n_source - 1) / n_source
    ridge = torch.linalg.cholesky(moments + shrunk * l2 * torch.eye(len(h), dtype=h.dtype, device=h.device))
    without = (n_target * h - t) / (n_target - 1)
    solved_x, solved = torch.cholesky_solve(torch.cat([x, without]).T, ridge).T.split(len(x))
    pull = (solved * x).sum(1) / (n_source - (solved_x * x).sum(1))
    alpha = (shrunk * (solved + pull[:, None] * solved_x)).clamp_(min=0)
    return ((alpha * x).sum(1).square() / 2 - (alpha * t).sum(1)).mean().item()
