"""How much more often each source point would appear in the target: the density ratio, and what it is worth."""

import math
import warnings
from dataclasses import dataclass, field

import torch
from torch import Tensor

from stablenets._arguments import finite, positive
from stablenets.shift._logistic import Logistic, fit_logistic
from stablenets.shift._samples import sample, sample_pair

# An OverlapWarning is due when fewer than this share of the source points are left in effect, or the mean weight, which
# is 1 for the true ratio where source covers target, is off by more than this factor.
LEAST_SHARE = 0.1
LARGEST_FACTOR = 2.0


class OverlapWarning(UserWarning):
    """The source hardly covers the target, so that no weights can turn one into the other."""


@dataclass(frozen=True)
class DensityRatio:
    """Estimated density ratio β = q/p of target to source.

    Attributes:
        weights: β at the source points, ``(n_s,)``, float64, after clipping; not normalised.
        mean_weight: mean of the weights before clipping, near 1 if the estimate is good where source covers target.
        effective_sample_size: (Σβ)²/Σβ² of ``weights``, after clipping, between 1 and n_s.
        clipped: number of source points whose weight was cut.
    """

    weights: Tensor
    mean_weight: float
    effective_sample_size: float
    clipped: int
    _fit: Logistic = field(repr=False)
    _log_prior: float = field(repr=False)
    _quadratic: bool = field(repr=False)
    _clip: float = field(repr=False)

    def of(self, x: Tensor) -> Tensor:
        """Return the weights ``(n,)``, clipped, of any points ``(n, d)``.

        Raises:
            ValueError: if ``x`` is not finite or has another number of features.
        """
        x, features = sample("x", x, least=1), len(self._fit.center) // (2 if self._quadratic else 1)
        if x.shape[1] != features:
            raise ValueError(f"x must have {features} features as source has, got {x.shape[1]}")
        return _unclipped(self._fit, x, self._quadratic, self._log_prior).clamp_(max=self._clip)


def density_ratio(
    source: Tensor, target: Tensor, *, quadratic: bool = False, clip: float | None = None, l2: float = 1.0
) -> DensityRatio:
    """Estimate how many times as dense the target is as the source, by telling their points apart.

    Label target points 1 and source points −1, fit logistic regression h to all of them, and take
    β(x) = min(exp(h(x)) · n_s / n_t, clip). The factor n_s / n_t undoes the shares of the two samples in what h saw.

    Args:
        source: ``(n_s, d)``, n_s ≥ 2.
        target: ``(n_t, d)``, n_t ≥ 2.
        quadratic: let h have a square of each feature too. The log ratio of two Gaussians with one covariance is
            linear; with other variances it is quadratic, and a linear h is wrong however many points there are.
        clip: largest weight, > 0: less variance, but a bias toward the source. None for no limit.
        l2: > 0, strength of the penalty l2/2 · ‖coefficients‖² on standardised features, beside the sum of the losses.

    Returns:
        The weights of the source points and what to judge them by; ``.of(x)`` gives those of other points.

    Raises:
        ValueError: if a sample is not ``(n, d)``, finite, with n ≥ 2, or ``clip`` or ``l2`` is not positive.

    Warns:
        OverlapWarning: if the effective sample size is below a tenth of n_s, or the mean weight not in [1/2, 2].

    >>> generator = torch.Generator().manual_seed(0)
    >>> source = torch.randn(4000, 1, generator=generator)
    >>> target = torch.randn(2000, 1, generator=generator) + 1  # so β(x) = exp(x − 1/2)
    >>> ratio = density_ratio(source, target)
    >>> print(f"{ratio.mean_weight:.1f}, {ratio.of(torch.tensor([[0.5]])).item():.1f}")
    1.0, 1.0

    Source: Bickel, Brückner and Scheffer (2009), Discriminative learning under covariate shift. Unlike their joint
    fit of classifier and weights, this is the two-stage estimate, with the sizes of the samples as the prior odds.
    """
    source, target = sample_pair(source, target)
    positive("l2", l2)
    limit = math.inf if clip is None else positive("clip", clip)
    fit = fit_logistic(_features(source, quadratic), _features(target, quadratic), l2=l2)
    log_prior = math.log(len(source) / len(target))
    weights = _unclipped(fit, source, quadratic, log_prior)
    # A clip lowers the mean by intent, which would hide that the estimate is off, or seem to show it.
    mean, clipped = weights.mean().item(), int((weights > limit).sum())
    weights.clamp_(max=limit)
    size = effective_sample_size(weights)
    if size < LEAST_SHARE * len(source) or not 1 / LARGEST_FACTOR <= mean <= LARGEST_FACTOR:
        warnings.warn(
            f"source hardly covers target: {size:.1f} of {len(source)} points are in effect, mean weight {mean:.2g}",
            OverlapWarning,
            stacklevel=2,
        )
    return DensityRatio(weights, mean, size, clipped, fit, log_prior, quadratic, limit)


def effective_sample_size(weights: Tensor) -> float:
    """Return (Σw)²/Σw²: how many equally weighted points have a mean as certain as that of these.

    Args:
        weights: ``(n,)``, ≥ 0, not all zero.

    Returns:
        A number from 1, one point has all the weight, to n, all weights are equal.

    Raises:
        ValueError: if a weight is negative, NaN or infinite, or none is positive.

    >>> effective_sample_size(torch.tensor([1.0, 1.0, 0.0, 0.0]))
    2.0

    Source: Kish (1965), Survey Sampling. Exact for values with one variance that do not depend on the weights.
    """
    weights = positive_weights(weights)
    weights = weights / weights.max()  # so that no square overflows
    return (weights.sum().square() / weights.square().sum()).item()


def positive_weights(weights: Tensor) -> Tensor:
    """Return ``weights`` in float64 if they are ``(n,)``, ≥ 0 and not all zero, else raise."""
    weights = finite("weights", weights).detach().double()
    if weights.ndim != 1 or not len(weights):
        raise ValueError(f"weights must have shape (n,) with n ≥ 1, got {tuple(weights.shape)}")
    if weights.min() < 0 or weights.max() == 0:
        low, high = weights.min(), weights.max()
        raise ValueError(f"weights must be ≥ 0 and not all 0, got values from {low:.4g} to {high:.4g}")
    return weights


def _features(x: Tensor, quadratic: bool) -> Tensor:
    return torch.cat([x, x.square()], 1) if quadratic else x


def _unclipped(fit: Logistic, x: Tensor, quadratic: bool, log_prior: float) -> Tensor:
    return (fit.log_odds(_features(x, quadratic)) + log_prior).exp_()
