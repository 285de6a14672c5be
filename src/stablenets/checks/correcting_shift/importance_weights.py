"""Importance weights from a classifier."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.correcting_shift._classifier import log_odds
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


def _line(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    a = weights.sqrt()[:, None] * torch.stack([torch.ones_like(x), x], 1)
    return torch.linalg.lstsq(a, (weights.sqrt() * y)[:, None]).solution.flatten()


def _cubic(n: int, m: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Points of the source with their y = x³ − x + noise, and points of a target that lies in one bend of it."""
    x = uniform(0.4, 0.6, generator) + uniform(0.45, 0.55, generator) * normal(n, generator=generator)
    target = uniform(-0.1, 0.0, generator) + uniform(0.25, 0.35, generator) * normal(m, generator=generator)
    return x, x**3 - x + 0.3 * normal(n, generator=generator), target


def _weights(answer: Answer, *arguments: Tensor) -> Value:
    return Value(answer, 0, "weights", (arguments[0].shape, (), ()))


def _expect_weights(answer: Answer, x: Tensor, y: Tensor, target: Tensor) -> None:
    def powers(*degrees: int, penalty: float = 0.0) -> Tensor:
        source, other = (torch.stack([points**degree for degree in degrees], 1) for points in (x, target))
        return log_odds(source, other, penalty)

    share, odds = len(x) / len(target), powers(1, 2)
    right = share * odds.exp()
    mistakes = {
        "that is the ratio upside down: target over source is asked": torch.exp(-odds) / share,
        "that is the ratio upside down (a minus sign, or the two labels exchanged)": torch.exp(-odds) * share,
        "with samples of unequal size the odds need the factor n/m": odds.exp(),
        "the factor for unequal sizes is n/m, not m/n": odds.exp() / share,
        "that is a probability, and the ratio of densities goes with the odds": odds.sigmoid(),
        "that is a probability times n/m, and the ratio of densities goes with the odds": odds.sigmoid() * share,
        "two Gaussians of unequal width have a log ratio with x² in it": share * powers(1).exp(),
        "two Gaussians of unequal mean have a log ratio with x in it, not only x²": share * powers(2).exp(),
        "two Gaussians need no x³: more features make the weights more uncertain": share * powers(1, 2, 3).exp(),
        "that is a penalized fit: scikit-learn penalizes unless told otherwise, so make C large":
            share * powers(1, 2, penalty=1 / (len(x) + len(target))).exp(),
        "that is the ratio of two fitted Gaussians, and a classifier is asked": _gaussian_ratio(x, target),
        "the weights are normalized to sum one": right / right.sum(),
        "the weights are normalized to mean one, which hides whether they can be trusted": right / right.mean(),
        "those are log weights": odds + torch.tensor(share).log(),
    }  # fmt: skip
    weights = _weights(answer, x)
    got = weights.tensor(x, y, target, shape=x.shape)
    if got.max() < right.max() / 1.05 and (got == got.max()).sum() > 1:
        raise Mistake("several weights are equal to the largest: do not clip here")
    weights.expect(x, y, target, value=right, relative=0.01, mistakes=mistakes)


def _gaussian_ratio(x: Tensor, target: Tensor) -> Tensor:
    top, bottom = (torch.distributions.Normal(points.mean(), points.std()) for points in (target, x))
    return (top.log_prob(x) - bottom.log_prob(x)).exp()


@exercise.part("weights are the ratio for equal sizes", points=1)
def equal_sizes(answer: Answer, generator: Generator) -> None:
    n = integer(300, 400, generator)
    _expect_weights(answer, *_cubic(n, n, generator))


@exercise.part("weights are the ratio for unequal sizes", points=1)
def unequal_sizes(answer: Answer, generator: Generator) -> None:
    _expect_weights(answer, *_cubic(integer(400, 500, generator), integer(120, 160, generator), generator))


@exercise.part("line minimizes the squared error with its weights", points=2)
def line(answer: Answer, generator: Generator) -> None:
    """The weights are the answer's own, so that whoever has them wrong is not marked down for it twice."""
    x, y, target = _cubic(integer(300, 400, generator), integer(300, 400, generator), generator)
    height = uniform(0.5, 1.0, generator)  # so that a line without intercept is far off
    y = y + height
    weights, intercept, slope = answer.tensors(x, y, target, shapes=(x.shape, (), ()))
    got, plain = torch.stack([intercept, slope]), _line(x, y, torch.ones_like(x))
    if (weights < 0).any():
        raise Mistake("a weight is negative")
    if not weights.any():
        raise Mistake("all weights are zero")

    def near(line: Tensor) -> bool:
        return bool((got - line).abs().max() < 1e-3)

    if near(plain):
        raise Mistake("that is the line without weights")
    if near(plain.flip(0)) or near(_line(x, y, weights).flip(0)):
        raise Mistake("the intercept comes first, then the slope")
    if not near(_line(x, y, weights)):
        if near(_line(x, y, weights**2)):
            raise Mistake("the rows are multiplied by the weights, which squares them: use their square roots")
        if near(_line(x, y, weights.sqrt())):
            raise Mistake("the squared error must be multiplied by the weight, not by its square root")
        if near(torch.stack([torch.tensor(0.0).double(), (weights * x * y).sum() / (weights * x**2).sum()])):
            raise Mistake("the line has no intercept")
        raise Mistake("the line does not minimize the squared error with your weights")
