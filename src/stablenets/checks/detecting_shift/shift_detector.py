"""A detector of shift by a method of the learner's own choice, held to what it finds."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Generator, Tensor

from stablenets import data
from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import normal
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=35)


LEVEL = 0.05


NULLS = 40


# How many of 40 valid p-values may be this small; one more happens about once in a hundred thousand times.
MOST = {LEVEL: 9, 0.25: 22, 0.5: 33}


@cache
def _images() -> Tensor:
    """All digits, (1797, 64), standardised."""
    digits = data.digits(0)
    return torch.cat([digits.x_train, digits.x_test]).double()


def _pair(generator: Generator, n: int, m: int) -> tuple[Tensor, Tensor]:
    """Two samples of digits without a common image."""
    order = torch.randperm(len(_images()), generator=generator)
    return _images()[order[:n]], _images()[order[n : n + m]]


def _p_value(answer: Answer, source: Tensor, target: Tensor, seed: int) -> float:
    p = answer.number(source, target, seed)
    if not 0 < p <= 1:
        raise Mistake(f"a p-value is above 0, since chance can do anything, and at most 1; got {p:.4g}")
    return p


@exercise.part("false alarms are as rare as the level says", points=2)
def false_alarms(answer: Answer, generator: Generator) -> None:
    p = torch.tensor([_p_value(answer, *_pair(generator, 60, 50), seed) for seed in range(NULLS)])
    alarms = {level: int((p <= level).sum()) for level in MOST}
    if alarms[LEVEL] == NULLS:
        raise Mistake("false alarms in every test without shift: is a model judged by rows to which it was fitted?")
    for level, most in MOST.items():
        if alarms[level] > most:
            raise Mistake(
                f"p ≤ {level} in {alarms[level]} of {NULLS} tests without shift: compare with what chance alone gives"
            )


def _missed(answer: Answer, generator: Generator, change: Callable[[Tensor], Tensor]) -> int:
    missed = 0
    for seed in range(5):
        source, target = _pair(generator, 100, 80)
        missed += _p_value(answer, source, change(target), seed) > LEVEL
    return missed


@exercise.part("shift by one pixel is seen", points=2)
def shifted_images(answer: Answer, generator: Generator) -> None:
    def right(images: Tensor) -> Tensor:
        return images.view(-1, 8, 8).roll(1, 2).flatten(1)

    missed = _missed(answer, generator, right)
    if missed:
        raise Mistake(f"images shifted by one pixel pass as unshifted in {missed} of 5 tests with about 100 images")


@exercise.part("noise that leaves every mean is seen", points=1)
def noisy_images(answer: Answer, generator: Generator) -> None:
    missed = _missed(answer, generator, lambda images: images + 0.7 * normal(*images.shape, generator=generator))
    if missed:
        raise Mistake(f"noise is missed in {missed} of 5 tests: it moves no mean, all that a linear score can see")
