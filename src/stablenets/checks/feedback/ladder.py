"""A test set that is asked many times and tells only what it must."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Generator

from stablenets.checks.answer import Answer
from stablenets.checks.draws import integer, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=20)


def _nearest(loss: float, step: float) -> float:
    return round(loss / step) * step


def _ladder(
    losses: list[float],
    step: float,
    *,
    margin: float = 1.0,
    rounded: Callable[[float, float], float] = _nearest,
    start: float = float("inf"),
    exact: bool = False,
) -> list[float]:
    """What is released after each submission; ``exact`` compares with the loss behind the release."""
    released, shown, best = [], start, start
    for loss in losses:
        if loss < (best if exact else shown) - margin * step:
            shown, best = rounded(loss, step), loss
        released.append(shown)
    return released


def _from_the_last_submission(losses: list[float], step: float) -> list[float]:
    released = [_nearest(losses[0], step)]
    for before, loss in pairwise(losses):
        released.append(_nearest(loss, step) if loss < before - step else released[-1])
    return released


def _from_the_best_so_far(losses: list[float], step: float) -> list[float]:
    released = [_nearest(losses[0], step)]
    for i, loss in enumerate(losses[1:], 1):
        released.append(_nearest(loss, step) if loss < min(losses[:i]) - step else released[-1])
    return released


def _largest(losses: list[float], step: float) -> list[float]:
    """The ladder for scores of which larger ones are better."""
    return [-value for value in _ladder([-loss for loss in losses], step)]


def _compare(answer: Answer, losses: list[float], step: float) -> None:
    best = [min(losses[: i + 1]) for i in range(len(losses))]
    shown = _ladder(losses, step)
    mistakes = {
        "every submission is told its loss, so that each tells of the labels": losses,
        "the best loss so far still tells of each small improvement": best,
        "rounding alone does not keep a guesser from telling guesses apart": [_nearest(x, step) for x in losses],
        "the best loss, rounded, still answers to an improvement of less than a step": [
            _nearest(x, step) for x in best
        ],
        "what is released must be rounded": _ladder(losses, step, rounded=lambda loss, _: loss),
        "compare with the loss that was released, not with the one before it was rounded": _ladder(
            losses, step, exact=True
        ),
        "compare with what was released, not with the last submission": _from_the_last_submission(losses, step),
        "compare with what was released, not with the best loss so far": _from_the_best_so_far(losses, step),
        "compare the loss as it is: only what is released is rounded": _ladder(
            [_nearest(x, step) for x in losses], step
        ),
        "compare the loss as it is: rounding comes after the comparison": [
            multiple * step for multiple in _ladder([round(x / step) for x in losses], 1)
        ],
        "a submission that does not improve is told the last release, not its own loss": [
            new if new != last else loss for loss, (last, new) in zip(losses, pairwise([None, *shown]))
        ],
        "an improvement makes the loss smaller: the step is subtracted": _ladder(losses, step, margin=-1.0),
        "round to the nearest multiple, not down": _ladder(losses, step, rounded=lambda x, s: x // s * s),
        "round to the nearest multiple, not up": _ladder(losses, step, rounded=lambda x, s: -(-x // s) * s),
        "not every improvement is enough: it must be larger than the step": _ladder(losses, step, margin=0.0),
        "the improvement must be larger than the step, not than half of it": _ladder(losses, step, margin=0.5),
        "these are losses: smaller is better": _largest(losses, step),
        "nothing was released before the first submission, so its own loss is released": _ladder(
            losses, step, start=1.0
        ),
        "count in steps where you round, but release a loss": [x / step for x in shown],
    }
    wrong = {text: torch.tensor(values, dtype=torch.float64) for text, values in mistakes.items()}
    right = torch.tensor(shown, dtype=torch.float64)
    answer.expect(losses, step, value=right, relative=0.0, absolute=1e-9, mistakes=wrong)


@exercise.part("first loss is released and worse ones are not", points=1)
def first_loss(answer: Answer, generator: Generator) -> None:
    step = uniform(0.04, 0.06, generator)
    for multiple in (integer(6, 10, generator) + 0.3, integer(6, 10, generator) + 0.7, round(1 / step) + 0.3, 400.7):
        first = multiple * step
        _compare(answer, [first + shift * step for shift in (0, 0.3, -0.6, 0, 2.2)], step)
        _compare(answer, [first], step)


@exercise.part("only an improvement by more than the step is told", points=1)
def small_improvements(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        step = uniform(0.01, 0.02, generator)
        # A slow descent in which no single improvement is as large as a step, at first with relapses in between.
        gains = [uniform(0.05, 0.6, generator) for _ in range(60)]
        losses = [1.5 - step * sum(gains[:i]) + 3 * step * (i % 2 and i < 30) for i in range(60)]
        _compare(answer, losses, step)


@exercise.part("a guesser learns next to nothing", points=1)
def guesser(answer: Answer, generator: Generator) -> None:
    size = integer(150, 250, generator)
    labels, guesses = torch.randint(2, (size,), generator=generator), torch.randint(2, (300, size), generator=generator)
    losses = (guesses != labels).double().mean(1).tolist()
    _compare(answer, losses, uniform(0.03, 0.05, generator))
    _compare(answer, losses, uniform(0.008, 0.012, generator))
