"""A corrector of covariate shift that knows when to refuse."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.correcting_shift._classifier import log_odds, logistic
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=35)


PENALTY = 0.01


class Worlds(NamedTuple):
    """Two clouds with labels of their own: most of the source is in the one, all of the target in the other."""

    x: Tensor
    y: Tensor
    target: Tensor
    target_labels: Tensor


def _worlds(generator: Generator, distance: float, shared: int) -> Worlds:
    """``shared`` of the source's points are in the cloud of the target, ``distance`` away from the other."""

    def cloud(n: int, centre: float, angle: float) -> tuple[Tensor, Tensor]:
        z = normal(n, 3, generator=generator)
        score = 3 * (z[:, 1:] @ torch.tensor([angle, angle - 1.5]).cos().double())
        y = (torch.rand(n, dtype=torch.float64, generator=generator) < score.sigmoid()).long()
        return z + torch.tensor([centre, 0, 0]).double(), y

    angle = uniform(0.3, 0.6, generator)
    away = angle + uniform(1.7, 2.1, generator)
    x, y = cloud(integer(500, 600, generator), 0.0, angle)
    same = cloud(shared, distance, away)
    target = cloud(integer(300, 400, generator), distance, away)
    return Worlds(torch.cat([x, same[0]]), torch.cat([y, same[1]]), *target)


def _raw_weights(world: Worlds) -> Tensor:
    return len(world.x) / len(world.target) * log_odds(world.x, world.target, PENALTY).exp()


def _fit(world: Worlds, weights: Tensor | float, penalty: float = PENALTY) -> Tensor:
    return logistic(world.x, world.y, weights * torch.ones(len(world.x)).double(), penalty)


def _other_penalties(world: Worlds, clip: float) -> dict[str, Tensor]:
    """The corrected classifier when C does not fit the number of points of each of the two fits."""
    n, pooled = len(world.x), len(world.x) + len(world.target)

    def corrected(first: float, second: float) -> Tensor:
        raw = n / len(world.target) * log_odds(world.x, world.target, first).exp()
        return _fit(world, raw.clamp(max=clip), second)

    return {
        "both fits have the penalty of C = 1, scikit-learn's default": corrected(1 / pooled, 1 / n),
        "both fits have C = 100: the objective is a mean, so C is 100 / N": corrected(0.01 / pooled, 0.01 / n),
        "the first fit has n + m points, so its C is 100 / (n + m)": corrected(PENALTY * n / pooled, PENALTY),
        "the second fit has n points, so its C is 100 / n": corrected(PENALTY, PENALTY * pooled / n),
    }


SHAPES = ((4,), (), ())


@exercise.part("classifier is fitted with clipped weights", points=2)
def classifier(answer: Answer, generator: Generator) -> None:
    world, clip = _worlds(generator, uniform(4.0, 4.5, generator), 40), uniform(4, 6, generator)
    weights = _raw_weights(world)
    clipped = weights.clamp(max=clip)
    odds = weights * len(world.target) / len(world.x)
    Value(answer, 0, "coefficients", SHAPES).expect(
        world.x, world.y, world.target, clip,
        value=_fit(world, clipped),
        relative=0.01,
        mistakes={
            "that is the classifier without weights": _fit(world, 1.0),
            "the weights are not clipped": _fit(world, weights),
            "the odds need the factor n/m before the clip": _fit(world, odds.clamp(max=clip)),
            "the loss of the unclipped weights is scaled by the clip": _fit(world, clip * weights),
            "the weighted loss is multiplied by 25, which only weakens the penalty": _fit(world, 25 * clipped),
            "the plain loss is multiplied by 25, which only weakens the penalty": _fit(world, 25.0),
            "the weights are normalized, which changes the loss against the penalty":
                _fit(world, clipped / clipped.mean()),
            "the weights are normalized to sum one": _fit(world, clipped / clipped.sum()),
            "the weights are upside down: they prefer what looks least like the target":
                _fit(world, (1 / weights).clamp(max=clip)),
            "the weights are clipped from below": _fit(world, weights.clamp(min=clip)),
            "weights above the clip are dropped, not lowered to it":
                _fit(world, torch.where(weights > clip, 0.0, weights)),
            "the intercept comes first, then the slopes": _fit(world, clipped).roll(-1),
        } | _other_penalties(world, clip),
    )  # fmt: skip


@exercise.part("target gains from the correction", points=1)
def gain(answer: Answer, generator: Generator) -> None:
    world = _worlds(generator, uniform(4.0, 4.5, generator), 60)
    fitted = answer.tensors(world.x, world.y, world.target, 20.0, shapes=SHAPES)[0]

    def accuracy(c: Tensor) -> float:
        return ((c[0] + world.target @ c[1:] > 0) == (world.target_labels == 1)).double().mean().item()

    if accuracy(fitted) < accuracy(_fit(world, 1.0)) + 0.04:
        raise Mistake("on the target the classifier is hardly better than one without weights")


@exercise.part("mean weight and effective size are reported", points=1)
def reported_numbers(answer: Answer, generator: Generator) -> None:
    world, clip = _worlds(generator, uniform(4.0, 4.5, generator), 40), uniform(4, 6, generator)
    raw = _raw_weights(world)
    w = raw.clamp(max=clip)
    ess = w.sum() ** 2 / w.square().sum()
    Value(answer, 1, "mean weight", SHAPES).expect(
        world.x, world.y, world.target, clip,
        value=raw.mean(),
        relative=0.01,
        mistakes={
            "the mean that must be near one is that before the clip": w.mean(),
            "the factor n/m is missing": raw.mean() * len(world.target) / len(world.x),
            "that is the sum": raw.sum(),
        },
    )  # fmt: skip
    Value(answer, 2, "effective sample size", SHAPES).expect(
        world.x, world.y, world.target, clip,
        value=ess,
        relative=0.01,
        mistakes={
            "the fit uses the clipped weights, so it is their size that counts":
                raw.sum() ** 2 / raw.square().sum(),
            "that is a share: multiply it by n": ess / len(w),
            "that is the number of points": len(w),
        },
    )  # fmt: skip


@exercise.part("correction is refused without overlap", points=1)
def refusal(answer: Answer, generator: Generator) -> None:
    world = _worlds(generator, uniform(9.0, 10.0, generator), 0)
    clipped = _raw_weights(world).clamp(max=5)
    Value(answer, 0, "coefficients", SHAPES).expect(
        world.x, world.y, world.target, 5.0,
        value=_fit(world, 1.0),
        relative=0.01,
        mistakes={
            "the samples do not overlap and the weights are made of nothing: refuse": _fit(world, clipped),
            "after a normalization the mean weight is always one, and nothing is ever refused":
                _fit(world, clipped / clipped.mean()),
            "refuse by returning the classifier without weights": torch.zeros(4),
        },
    )  # fmt: skip
    world = _worlds(generator, uniform(1.3, 1.6, generator), 200)
    weights = _raw_weights(world).clamp(max=5)
    Value(answer, 0, "coefficients", SHAPES).expect(
        world.x, world.y, world.target, 5.0,
        value=_fit(world, weights),
        relative=0.01,
        mistakes={"the mean weight is not below 0.5: do not refuse": _fit(world, 1.0)},
    )  # fmt: skip
