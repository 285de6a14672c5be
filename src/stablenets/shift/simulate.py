"""Shifts of which everything is known: the density ratio, the prior, the moment of the change."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from stablenets._arguments import choice, finite, non_negative, positive, positive_integer

DRIFTS = ("none", "abrupt", "gradual", "recurring")


class Shift(NamedTuple):
    """Samples ``source (n_s, d)`` and ``target (n_t, d)``, float64, and ``log_ratio``: x ``(n, d)`` → ln q(x)/p(x)."""

    source: Tensor
    target: Tensor
    log_ratio: Callable[[Tensor], Tensor]

    @property
    def weights(self) -> Tensor:
        """The true importance weights q(x)/p(x) of the source, ``(n_s,)``."""
        return self.log_ratio(self.source).exp()


class Regression(NamedTuple):
    """Inputs ``(n, 1)`` and outputs ``(n,)`` of source and target, float64, and the source's true weights ``(n,)``."""

    x_source: Tensor
    y_source: Tensor
    x_target: Tensor
    y_target: Tensor
    weights: Tensor


class TwoWorlds(NamedTuple):
    """One observation, ``x_source``, ``y_source`` and ``x_target``, and two labelings ``(n,)`` of the target.

    Inputs ``(n, 2)``, float64; labels 0 or 1, int64.
    """

    x_source: Tensor
    y_source: Tensor
    x_target: Tensor
    y_steady: Tensor
    y_flipped: Tensor


class Stream(NamedTuple):
    """Examples in order of time: ``x (steps, d)``, float64, ``y (steps,)``, int64, 0 or 1, and the rule behind them.

    The label is 1 where x·(cos angle, sin angle, 0, …) + noise > 0; ``angle (steps,)`` is in radians; ``changes`` holds
    the steps at which it jumps.
    """

    x: Tensor
    y: Tensor
    angle: Tensor
    changes: tuple[int, ...]


def gaussian_shift(
    n_source: int,
    n_target: int,
    *,
    dimension: int,
    mean: float | Tensor = 1.0,
    scale: float = 1.0,
    generator: torch.Generator,
) -> Shift:
    """Draw a source p = N(0, I) and a target q = N(mean, scale²·I).

    ln q(x)/p(x) = ‖x‖²/2 − ‖x − mean‖²/(2·scale²) − d·ln scale. For scale 1 the weights have the second moment
    E_p[w²] = exp(‖mean‖²), so the effective sample size tends to n·exp(−‖mean‖²); for scale² ≥ 2 it is infinite.

    Args:
        n_source: size of the source sample.
        n_target: size of the target sample.
        dimension: d.
        mean: of the target, ``(d,)``; a number stands for a displacement along the first axis.
        scale: standard deviation of the target's features, > 0.
        generator: draws both samples.

    >>> shift = gaussian_shift(100, 50, dimension=3, generator=torch.Generator().manual_seed(0))
    >>> shift.source.shape, shift.target.shape
    (torch.Size([100, 3]), torch.Size([50, 3]))
    >>> shift.log_ratio(torch.zeros(1, 3)).item()  # −‖mean‖²/2
    -0.5
    """
    sizes = [positive_integer(name, n) for name, n in (("n_source", n_source), ("n_target", n_target))]
    positive("scale", scale)
    centre = torch.zeros(positive_integer("dimension", dimension), dtype=torch.float64)
    if isinstance(mean, Tensor):
        if finite("mean", mean).shape != centre.shape:
            raise ValueError(f"mean must have shape ({dimension},), got {tuple(mean.shape)}")
        centre = mean.double()
    else:
        centre[0] = finite("mean", torch.tensor(float(mean))).item()
    source, target = (torch.randn(n, dimension, dtype=torch.float64, generator=generator) for n in sizes)

    def log_ratio(x: Tensor) -> Tensor:
        x = x.double()
        away = (x - centre).square().sum(1) / scale**2
        return (x.square().sum(1) - away) / 2 - dimension * math.log(scale)

    return Shift(source, centre + scale * target, log_ratio)


def shimodaira(n: int, *, generator: torch.Generator) -> Regression:
    """Draw the regression on which importance weighting became known: a line is fitted to a cubic.

    y = x³ − x + 0.3·ε with ε ~ N(0, 1); source x ~ N(0.5, 0.5²), target x ~ N(0, 0.3²).

    Args:
        n: size of the source sample, and of the target's.
        generator: draws both samples.

    >>> problem = shimodaira(100, generator=torch.Generator().manual_seed(0))
    >>> problem.x_source.shape, problem.weights.shape
    (torch.Size([100, 1]), torch.Size([100]))

    Source: Shimodaira (2000), Journal of Statistical Planning and Inference 90, section 2.
    """
    positive_integer("n", n)
    x = torch.randn(2, n, 1, dtype=torch.float64, generator=generator)
    noise = torch.randn(2, n, dtype=torch.float64, generator=generator)
    x_source, x_target = 0.5 + 0.5 * x[0], 0.3 * x[1]
    y_source, y_target = (
        (x**3 - x).squeeze(1) + 0.3 * noise for x, noise in zip((x_source, x_target), noise, strict=True)
    )
    log_weights = (x[0].square() - (x_source / 0.3).square()).squeeze(1) / 2 + math.log(0.5 / 0.3)
    return Regression(x_source, y_source, x_target, y_target, log_weights.exp())


def two_worlds(n: int, *, displacement: float = 2.0, generator: torch.Generator) -> TwoWorlds:
    """Draw what is observed once, and two truths that both explain it under covariate shift.

    Source inputs are uniform over the square [−1, 1]², target inputs over the same square moved along the second axis.
    In the steady world the label is 1{x₁ > 0} everywhere; in the flipped world it is so where the source has been,
    x₂ ≤ 1, and the opposite beyond. Each world has one P(y | x) for source and target, so the assumption of covariate
    shift rules out neither: they differ on the share min(displacement/2, 1) of the target. At displacement 2 nothing
    overlaps, and what any classifier gains in one world it loses in the other.

    Args:
        n: size of the source sample, and of the target's.
        displacement: of the target along the second axis, ≥ 0.
        generator: draws both samples.

    >>> worlds = two_worlds(100, generator=torch.Generator().manual_seed(0))
    >>> bool((worlds.y_steady == 1 - worlds.y_flipped).all())
    True
    """
    non_negative("displacement", displacement)
    x = 2 * torch.rand(2, positive_integer("n", n), 2, dtype=torch.float64, generator=generator) - 1
    x[1, :, 1] += displacement
    steady = (x[..., 0] > 0).long()
    return TwoWorlds(x[0], steady[0], x[1], steady[1], torch.where(x[1, :, 1] > 1, 1 - steady[1], steady[1]))


def drift_stream(
    kind: str, steps: int, *, dimension: int = 5, noise: float = 0.3, generator: torch.Generator
) -> Stream:
    """Draw a stream x ~ N(0, I) labelled by a line that turns in the plane of the first two features.

    The best rule of a moment has accuracy 1 − arctan(noise)/π; without noise, a rule that lags by an angle a ≤ π
    has accuracy 1 − a/π.

    Args:
        kind: "none": the line stays; "abrupt": it jumps by π/2 half-way; "gradual": it turns by π at even speed;
            "recurring": it jumps to π/2 and back after each sixth of the stream.
        steps: length of the stream, ≥ 6.
        dimension: of the inputs, ≥ 2.
        noise: standard deviation of what is added to the margin, ≥ 0.
        generator: draws inputs and noise.

    >>> drift_stream("abrupt", 1000, generator=torch.Generator().manual_seed(0)).changes
    (500,)
    """
    choice("kind", kind, DRIFTS)
    if positive_integer("steps", steps) < 6:
        raise ValueError(f"steps must be at least 6, got {steps}")
    if positive_integer("dimension", dimension) < 2:
        raise ValueError(f"dimension must be at least 2, got {dimension}")
    non_negative("noise", noise)
    changes = {"abrupt": (steps // 2,), "recurring": tuple(steps * block // 6 for block in range(1, 6))}.get(kind, ())
    time = torch.arange(steps)
    if kind == "gradual":
        angle = torch.linspace(0, math.pi, steps, dtype=torch.float64)
    else:
        jumps = torch.bucketize(time, torch.tensor(changes, dtype=torch.long), right=True)
        angle = jumps % 2 * torch.tensor(math.pi / 2, dtype=torch.float64)
    x = torch.randn(steps, dimension, dtype=torch.float64, generator=generator)
    margin = x[:, 0] * angle.cos() + x[:, 1] * angle.sin()
    margin += noise * torch.randn(steps, dtype=torch.float64, generator=generator)
    return Stream(x, (margin > 0).long(), angle, changes)
