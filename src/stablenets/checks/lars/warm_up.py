"""A schedule that leads the learning rate to its peak and lets it fall."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, log_uniform, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=15)


def _rise(base: float, factor: float, warm_up: int, steps: range) -> Tensor:
    return torch.tensor([base * (1 + (factor - 1) * t / warm_up) for t in steps], dtype=torch.float64)


def _fall(peak: float, begin: int, total: int, steps: range, power: float = 2) -> Tensor:
    return torch.tensor([peak * (1 - (t - begin) / (total - begin)) ** power for t in steps], dtype=torch.float64)


def _schedule(generator: Generator) -> tuple[float, float, int, int]:
    warm_up = integer(3, 12, generator)
    return log_uniform(0.01, 0.2, generator), uniform(4, 32, generator), warm_up, warm_up + integer(8, 30, generator)


class Piece(Answer):
    """Some steps of the schedule."""

    def __init__(self, answer: Answer, steps: range, total: int) -> None:
        super().__init__(answer.function)
        self.steps, self.total = steps, total

    def __call__(self, *arguments: object) -> Tensor:
        rates = Answer(self.function).tensor(*arguments, shape=(self.total,))
        return rates[self.steps.start : self.steps.stop]


@exercise.part("rate rises from base to peak", points=1)
def rise(answer: Answer, generator: Generator) -> None:
    base, factor, warm_up, total = _schedule(generator)
    steps, peak = range(warm_up), base * factor
    value = _rise(base, factor, warm_up, steps)
    share = torch.arange(warm_up, dtype=torch.float64) / warm_up
    Piece(answer, steps, total).expect(
        base, factor, warm_up, total,
        value=value,
        mistakes={
            "the rise starts at base, not at zero": peak * share,
            "the rise is already one step ahead at the start": _rise(base, factor, warm_up, range(1, warm_up + 1)),
            "the peak comes a step too early": _rise(base, factor, warm_up - 1, steps),
            "the rise goes to factor times base": base + (factor - base) * share,
            "the rate rises step by step, it does not wait and jump": base * torch.ones_like(share),
            "without a rise the large rate comes at once": peak * torch.ones_like(share),
            "the rise is linear, not geometric": base * factor**share,
            "the decay begins after the warm-up, and not on top of it": value * _fall(1.0, 0, total, steps),
        },
    )  # fmt: skip


@exercise.part("rate falls with the square of the steps left", points=1)
def fall(answer: Answer, generator: Generator) -> None:
    base, factor, warm_up, total = _schedule(generator)
    steps, peak = range(warm_up, total), base * factor
    Piece(answer, steps, total).expect(
        base, factor, warm_up, total,
        value=_fall(peak, warm_up, total, steps),
        mistakes={
            "the decay is quadratic, not linear": _fall(peak, warm_up, total, steps, 1),
            "the decay counts from the end of the warm-up, or else the rate jumps": _fall(peak, 0, total, steps),
            "the last step still has a rate above zero": _fall(peak, warm_up, total - 1, steps),
            "the decay starts from the peak, which is factor · base": _fall(base, warm_up, total, steps),
            "the square is of the share of steps left, not of the share gone":
                peak - _fall(peak, warm_up, total, range(total, warm_up, -1)),
            "the decay is missing": torch.full((len(steps),), peak, dtype=torch.float64),
            "the decay is a step too far": _fall(peak, warm_up, total, range(warm_up + 1, total + 1)),
        },
    )  # fmt: skip


@exercise.part("schedule without warm up starts at the peak", points=1)
def no_warm_up(answer: Answer, generator: Generator) -> None:
    base, factor, _, total = _schedule(generator)
    rates = answer.tensor(base, factor, 0, total, shape=(total,))
    if abs(rates[0].item() - base * factor) > 1e-6 * base * factor:
        raise Mistake("without warm-up the first rate is the peak")
    if abs(rates[-1].item() - base * factor / total**2) > 1e-6 * base * factor:
        raise Mistake("without warm-up the decay takes all of the steps")
