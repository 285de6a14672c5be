"""Importance weights from a classifier."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.correcting_shift.classifier import log_odds
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

WEIGHTS = Exercise("importance-weights", chapter="correcting-shift", minutes=25)


def _line(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    a = torch.stack([torch.ones_like(x), x], 1)
    return torch.linalg.solve(a.T @ (weights[:, None] * a), a.T @ (weights * y))


def _cubic(n: int, m: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Points of the source with their y = x³ − x + noise, and points of a target that lies in one bend of it."""
    x = uniform(0.4, 0.6, generator) + uniform(0.45, 0.55, generator) * normal(n, generator=generator)
    target = uniform(-0.1, 0.0, generator) + uniform(0.25, 0.35, generator) * normal(m, generator=generator)
    return x, x**3 - x + 0.3 * normal(n, generator=generator), target


def _weights(answer: Answer, *arguments: Tensor) -> Value:
    return Value(answer, 0, "weights", (arguments[0].shape, (), ()))


def _expect_weights(answer: Answer, x: Tensor, y: Tensor, target: Tensor) -> None:
    odds = log_odds(torch.stack([x, x**2], 1), torch.stack([target, target**2], 1))
    linear = log_odds(x[:, None], target[:, None])
    share = len(x) / len(target)
    mistakes = {
        "that is the ratio upside down: target over source is asked": torch.exp(-odds) / share,
        "that is the ratio upside down (a minus sign, or the two labels exchanged)": torch.exp(-odds) * share,
        "with samples of unequal size the odds need the factor n/m": odds.exp(),
        "the factor for unequal sizes is n/m, not m/n": odds.exp() / share,
        "that is a probability, and the ratio of densities goes with the odds": odds.sigmoid(),
        "that is a probability times n/m, and the ratio of densities goes with the odds": odds.sigmoid() * share,
        "two Gaussians of unequal width have a log ratio with x² in it": share * linear.exp(),
        "those are log weights": odds + torch.tensor(share).log(),
    }
    _weights(answer, x).expect(x, y, target, value=share * odds.exp(), relative=0.01, mistakes=mistakes)


@WEIGHTS.part(points=1)
def weights_are_the_ratio_for_equal_sizes(answer: Answer, generator: Generator) -> None:
    n = integer(300, 400, generator)
    _expect_weights(answer, *_cubic(n, n, generator))


@WEIGHTS.part(points=1)
def weights_are_the_ratio_for_unequal_sizes(answer: Answer, generator: Generator) -> None:
    _expect_weights(answer, *_cubic(integer(400, 500, generator), integer(120, 160, generator), generator))


@WEIGHTS.part(points=2)
def weighted_line_fits_the_target(answer: Answer, generator: Generator) -> None:
    x, y, target = _cubic(integer(300, 400, generator), integer(300, 400, generator), generator)
    weights, intercept, slope = answer.tensors(x, y, target, shapes=(x.shape, (), ()))
    got, plain = torch.stack([intercept, slope]), _line(x, y, torch.ones_like(x))
    if (weights < 0).any():
        raise Mistake("a weight is negative")

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
        raise Mistake("the line does not minimise the squared error with your weights")
    truth = target**3 - target
    errors = [(line[0] + line[1] * target - truth).square().mean() for line in (got, plain)]
    if errors[0] > errors[1] / 2:
        raise Mistake("the line predicts the target hardly better than the one without weights")
