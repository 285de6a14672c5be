"""Which of two optimizers is better, and is it more than chance?"""

import math

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


SHAPES = ((2,), (2,), ())


def _tables(generator: Generator) -> tuple[Tensor, Tensor]:
    """Accuracies ``(2, rates, seeds)`` for the choice and for the report, in which every pitfall has a rate of its own:
    one that diverged once and is excellent otherwise, one with a lucky seed, and one that is best on the test data."""
    rates, seeds = integer(5, 7, generator), integer(5, 6, generator)
    order = torch.randperm(rates, generator=generator)
    validation, test = (0.8 + 0.02 * normal(2, rates, seeds, generator=generator) for _ in range(2))
    for optimizer in range(2):
        best, diverged, lucky, tested = order.roll(-optimizer)[:4].tolist()
        validation[optimizer, best] += 0.05
        validation[optimizer, diverged] += 0.2
        validation[optimizer, lucky] -= 0.05
        validation[optimizer] = validation[optimizer].clamp(max=0.98)
        validation[optimizer, diverged, integer(0, seeds - 1, generator)] = math.nan
        validation[optimizer, lucky, integer(0, seeds - 1, generator)] = 0.99
        test[optimizer, best] += uniform(0.02, 0.05, generator)
        test[optimizer, tested] += 0.1
    return validation, test


def _student_tail(t: float, freedom: float) -> float:
    """P(|T| > t) by the integral over the angle θ of T = √ν·tan θ, whose density is proportional to cos^(ν−1) θ."""
    angle = torch.linspace(0, math.pi / 2, 20001, dtype=torch.float64)
    density = angle.cos().clamp_min(0) ** (freedom - 1)
    start = math.atan(t / math.sqrt(freedom))
    tail = torch.linspace(start, math.pi / 2, 20001, dtype=torch.float64).cos().clamp_min(0) ** (freedom - 1)
    return (torch.trapezoid(tail) * (math.pi / 2 - start) / torch.trapezoid(density) / (math.pi / 2)).item()


def _report(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, float, float]:
    """Means, standard deviations, t and Welch's degrees of freedom of two samples."""
    means = torch.stack([first.mean(), second.mean()])
    sds = torch.stack([first.std(), second.std()])
    squares = sds.square() / torch.tensor([len(first), len(second)])
    freedom = squares.sum() ** 2 / (squares.square() / torch.tensor([len(first) - 1, len(second) - 1])).sum()
    return means, sds, (abs(means[0] - means[1]) / squares.sum().sqrt()).item(), freedom.item()


def _chosen(table: Tensor) -> list[int]:
    return table.argmax(1).tolist()


def _rows(test: Tensor, rates: list[int]) -> tuple[Tensor, Tensor]:
    return test[0, rates[0]], test[1, rates[1]]


@exercise.part("each optimizer is reported at its own best rate", points=1)
def means(answer: Answer, generator: Generator) -> None:
    validation, test = _tables(generator)
    failed = validation.nan_to_num(0.0)
    right = _chosen(failed.mean(2))

    def mean(rates: list[int]) -> Tensor:
        return _report(*_rows(test, rates))[0]

    Value(answer, 0, "means", SHAPES).expect(
        validation, test,
        value=mean(right),
        mistakes={
            "the rate must be chosen without a look at the test results": mean(_chosen(test.mean(2))),
            "a run that diverged counts as zero: do not leave it out": mean(_chosen(validation.nanmean(2))),
            "a rate is not good because of its best seed": mean(_chosen(failed.amax(2))),
            "the second optimizer is run at the rate of the first: tune both": mean([right[0]] * 2),
            "the first optimizer is run at the rate of the second: tune both": mean([right[1]] * 2),
            "one rate for both: tune each by itself": mean([failed.mean(2).mean(0).argmax().item()] * 2),
            "report the test results, not those that chose the rate":
                torch.stack([row.mean() for row in _rows(failed, right)]),
            "report the mean over seeds, not the best seed": torch.stack([row.max() for row in _rows(test, right)]),
            "the mean over all rates is not the best-tuned mean": test.mean((1, 2)),
            "the best seed of the best rate is no result": test.amax((1, 2)),
        },
    )  # fmt: skip


@exercise.part("spread is the standard deviation over seeds", points=1)
def spread(answer: Answer, generator: Generator) -> None:
    validation, test = _tables(generator)
    rates = _chosen(validation.nan_to_num(0.0).mean(2))
    first, second = _rows(test, rates)
    sds = torch.stack([first.std(), second.std()])
    Value(answer, 1, "standard deviations", SHAPES).expect(
        validation, test,
        value=sds,
        mistakes={
            "divide by n − 1: the mean was estimated from the same seeds":
                torch.stack([first.std(correction=0), second.std(correction=0)]),
            "that is the error of the mean, not the spread over seeds": sds / len(first) ** 0.5,
            "that is the variance": sds.square(),
            "the spread over all rates says how hard to tune it is, not how reliable": test.flatten(1).std(1),
        },
    )  # fmt: skip


@exercise.part("probability is that of chance alone", points=2)
def probability(answer: Answer, generator: Generator) -> None:
    validation, test = _tables(generator)
    first, second = _rows(test, _chosen(validation.nan_to_num(0.0).mean(2)))
    # A difference that is neither plain nor absent, with spreads that differ.
    second.sub_(second.mean()).mul_(3).add_(first.mean() - uniform(1.0, 2.5, generator) * second.std() / 2)
    *_, t, freedom = _report(first, second)
    n, difference = len(first), first - second
    p = _student_tail(t, freedom)
    Value(answer, 2, "probability", SHAPES).expect(
        validation, test,
        value=p,
        relative=1e-4,
        mistakes={
            "both directions count: nobody said before which one would win": p / 2,
            "that is the probability of the other side": 1 - p / 2,
            "that is one minus the probability": 1 - p,
            "the spreads differ: do not pool them": _student_tail(t, 2 * n - 2),
            "seeds of different optimizers are no pairs":
                _student_tail(abs(difference.mean() / difference.std() * n**0.5).item(), n - 1),
            "with so few seeds the estimated spread itself is uncertain: use Student's distribution":
                math.erfc(t / math.sqrt(2)),
            "the mean varies less than a single seed, by the root of their number":
                _student_tail(t / n**0.5, freedom),
        },
    )  # fmt: skip
