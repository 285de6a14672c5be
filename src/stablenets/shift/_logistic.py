"""Logistic regression between two samples: Newton's method on a part of the rows, then BFGS on all of them.

By hand, because it is faster than scikit-learn's solvers at the same accuracy, and copies neither sample: features are
standardised in the sums, not in memory.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

# Stop after the step of this length: the root mean square over the rows of the change of the log odds, weighted by
# p(1 − p). The methods converge faster than linearly, so that the error is far smaller. A part of the rows is off by
# more than FIRST_TOLERANCE anyway.
TOLERANCE, FIRST_TOLERANCE = 2e-7, 0.05
NEWTON_STEPS = 200
BFGS_STEPS = 30
# Rows of each sample that the first Hessian is taken from: at least so many, and so many for each column.
FIRST_ROWS, FIRST_ROWS_PER_COLUMN = 1024, 128
# Numbers that are worked on together, while they are in the cache.
CACHED = 2**17
# From this many columns on, numpy's BLAS is up to three times as fast on tall matrices as PyTorch's.
WIDE = 32
# Features are read as they are, and centred in the sums. This many standard deviations off, that would cost digits.
FARTHEST_CENTER = 1e4


class Logistic(NamedTuple):
    """The log odds that a row is of the target, ``intercept + ((x − center) / scale) · coefficients``."""

    coefficients: Tensor
    intercept: float
    center: Tensor
    scale: Tensor
    passes: int

    def log_odds(self, x: Tensor) -> Tensor:
        """Log odds ``(n,)`` at ``x``, ``(n, d)``."""
        slopes = self.coefficients / self.scale
        return torch.cat([_product(block - self.center, slopes).add_(self.intercept) for block in _blocks(x)])


def fit_logistic(source: Tensor, target: Tensor, *, l2: float) -> Logistic:
    """Minimise Σ log(1 + exp(±h(x))) + l2/2 · ‖coefficients‖², + for rows of the source and − for those of the target.

    Features are standardised over both samples, so that the penalty means the same in any unit; the intercept is free.

    Args:
        source: ``(n_s, d)``, float64, finite.
        target: ``(n_t, d)``, float64, finite.
        l2: > 0, so that there is a finite minimum even where a plane separates the samples.

    Returns:
        The fit, and in ``passes`` how many gradients over all rows it took.
    """
    center, scale = _moments(source, target)
    shift = center if (center.abs() > FARTHEST_CENTER * scale).any() else None
    if shift is not None:
        source, target, center = source - shift, target - shift, torch.zeros_like(center)
    problem = _Problem(source, target, center, scale, l2)
    solution = source.new_zeros(source.shape[1] + 1)
    stride = min(len(source), len(target)) // max(FIRST_ROWS, FIRST_ROWS_PER_COLUMN * len(solution))
    if stride < 2:
        solution, _ = problem.newton(solution)
    else:
        # Every k-th row of both samples, with 1/k of the penalty, so that k times its Hessian stands for that of all.
        part = _Problem(source[::stride].contiguous(), target[::stride].contiguous(), center, scale, l2 / stride)
        solution, factor = part.newton(solution, FIRST_TOLERANCE)
        solution = problem.bfgs(solution, factor * stride**0.5)
    center = center if shift is None else shift
    return Logistic(solution[:-1], solution[-1].item(), center, scale, problem.passes)


class _Problem:
    """What is minimised, over the coefficients of the standardised features with the intercept at the end."""

    def __init__(self, source: Tensor, target: Tensor, center: Tensor, scale: Tensor, l2: float):
        self.center, self.scale, self.passes = center, scale, 0
        self.blocks = [(sign, block) for sign, x in ((1, source), (-1, target)) for block in _blocks(x)]
        self.penalty = source.new_full((source.shape[1] + 1,), l2)
        self.penalty[-1] = 0

    def loss(self, b: Tensor) -> float:
        slopes, offset = self._as_read(b)
        odds = (sign * (_product(block, slopes) + offset) for sign, block in self.blocks)
        return (sum(softplus(each, threshold=50).sum() for each in odds) + 0.5 * (self.penalty @ b.square())).item()

    def gradient(self, b: Tensor) -> Tensor:
        """One pass, which reads each row from memory once."""
        self.passes += 1
        slopes, offset = self._as_read(b)
        slope_sums, offset_sum = torch.zeros_like(slopes), torch.zeros_like(offset)
        for sign, block in self.blocks:
            mistaken = _product(block, slopes).add_(offset).mul_(sign).sigmoid_()
            slope_sums.addmv_(block.T, mistaken, alpha=sign)
            offset_sum.add_(mistaken.sum(), alpha=sign)
        centred = (slope_sums - self.center * offset_sum) / self.scale
        return torch.cat([centred, offset_sum[None]]).addcmul_(self.penalty, b)

    def cholesky(self, b: Tensor) -> Tensor:
        """Factor of the Hessian Σ p(1 − p) z zᵀ + l2, where z is a standardised row with a 1 at its end."""
        hessian = torch.diag(self.penalty)
        slopes, offset = self._as_read(b)
        unit = 1 / self.scale
        moved = -self.center * unit
        for _, block in self.blocks:
            p = _product(block, slopes).add_(offset).sigmoid_()
            z = block.new_ones(len(block), len(b))
            torch.addcmul(moved, block, unit, out=z[:, :-1])
            z.mul_((p * (1 - p)).sqrt_()[:, None])
            hessian += _product(z.T, z)
        return torch.linalg.cholesky(hessian)

    def newton(self, b: Tensor, tolerance: float = TOLERANCE) -> tuple[Tensor, Tensor]:
        """Newton's method with halved steps, which cannot fail on a strictly convex loss but by rounding.

        Returns the solution and the factor of the Hessian one step before it.
        """
        loss = self.loss(b)
        for _ in range(NEWTON_STEPS):
            gradient = self.gradient(b)
            factor = self.cholesky(b)
            step = -torch.cholesky_solve(gradient[:, None], factor)[:, 0]
            slope = (gradient @ step).item()
            if -slope <= tolerance**2 * _weight(factor):
                return b + step, factor
            size, trial = 1.0, self.loss(b + step)
            while trial > loss + 1e-4 * size * slope and size > 1e-6:
                size /= 2
                trial = self.loss(b + size * step)
            b, loss = b + size * step, trial
        raise RuntimeError(f"logistic regression did not converge in {NEWTON_STEPS} steps of Newton's method")

    def bfgs(self, b: Tensor, factor: Tensor) -> Tensor:
        """Full steps of BFGS from a good start and Hessian; where one goes much too far, Newton's method takes over."""
        inverse, weight = torch.cholesky_inverse(factor), _weight(factor)
        gradient = self.gradient(b)
        for _ in range(BFGS_STEPS):
            step = -(inverse @ gradient)
            slope = (gradient @ step).item()
            if -slope <= TOLERANCE**2 * weight:
                return b + step
            after = self.gradient(b + step)
            if abs((after @ step).item()) > -0.9 * slope:
                break
            change = after - gradient
            curvature = change @ step
            pushed = inverse @ change
            inverse = inverse + torch.outer(step, step) * ((1 + change @ pushed / curvature) / curvature)
            mixed = torch.outer(pushed, step / curvature)
            inverse -= mixed + mixed.T
            b, gradient = b + step, after
        return self.newton(b)[0]

    def _as_read(self, b: Tensor) -> tuple[Tensor, Tensor]:
        """Slopes and offset for features as they are, neither centred nor scaled."""
        slopes = b[:-1] / self.scale
        return slopes, b[-1] - self.center @ slopes


def _weight(factor: Tensor) -> float:
    """Σ p(1 − p), the last entry of the Hessian with this factor."""
    return factor[-1].square().sum().item()


def _blocks(x: Tensor) -> tuple[Tensor, ...]:
    return x.split(CACHED // x.shape[1] + 1)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b``; numpy does half of the work where ``a`` is ``b.T``."""
    if min(a.shape) < WIDE or a.device.type != "cpu":
        return a @ b
    return torch.from_numpy(a.numpy() @ b.numpy())


def _moments(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each feature over both samples; a constant one gets ∞, and so drops out."""
    n = len(source) + len(target)
    # Around a point near the mean the sums of squares keep their digits, and one pass is enough.
    near = torch.cat([x[:: len(x) // FIRST_ROWS + 1] for x in (source, target)]).mean(0)
    sums, squares = torch.zeros_like(near), torch.zeros_like(near)
    for block in (*_blocks(source), *_blocks(target)):
        away = block - near
        sums += away.sum(0)
        squares += away.square_().sum(0)
    center, scale = near + sums / n, (squares / n - (sums / n).square()).clamp_(min=0).sqrt_()
    if not torch.isfinite(scale).all():
        raise ValueError("source and target must have features of finite variance in float64, got larger ones")
    # Rounding of the mean leaves a constant feature at a few eps of its value.
    scale[scale <= 1e-14 * center.abs()] = torch.inf
    return center, scale
