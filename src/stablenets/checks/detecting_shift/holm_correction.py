"""Holm's correction, held against the closed test from which it follows."""

from itertools import combinations

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=20)


def closed(p: Tensor) -> Tensor:
    """The largest min(1, |S| · min p over S) among the sets S that hold a hypothesis: every S must be rejected."""
    adjusted = torch.zeros_like(p)
    for size in range(1, len(p) + 1):
        for chosen in map(list, combinations(range(len(p)), size)):
            adjusted[chosen] = adjusted[chosen].clamp_min((size * p[chosen].min()).clamp_max(1).item())
    return adjusted


def _mistakes(p: Tensor) -> dict[str, Tensor]:
    d, order = len(p), p.argsort()
    back, falling = order.argsort(), torch.arange(d, 0, -1, dtype=torch.float64)
    steps = falling * p[order]

    def running(values: Tensor) -> Tensor:
        return values.cummax(0).values.clamp_max(1)

    def least_above(values: Tensor) -> Tensor:
        return values.flip(0).cummin(0).values.flip(0).clamp_max(1)

    return _orders(steps, order) | {
        "that is Bonferroni: only the smallest p-value is multiplied by the number of all": (d * p).clamp_max(1),
        "that is Bonferroni, and an adjusted p-value above one means one": d * p,
        "the factors go by the size of the p-values, not by their place in the input": running(falling * p),
        "the factors go by the size of the p-values, and the steps from the smallest up": (falling * p).clamp_max(1),
        "argsort tells which p-value comes first, not which rank each has": ((d - order) * p).clamp_max(1),
        "the procedure starts with the smallest p-value": running(falling * p[order.flip(0)])[(d - 1) - back],
        "multiply the p-values by d, d − 1, …: they are compared with fractions of α, and so adjusted upwards": running(
            p[order] / falling
        )[back],
        "no level is given: a feature that fails at 0.05 may pass at another": torch.where(
            running(steps) > 0.05, 1.0, steps
        )[back],
        "the adjusted p-values are asked, not verdicts at some level": (running(steps) <= 0.05)[back],
        "the smallest p-value is multiplied by the number of all, d": running((falling - 1) * p[order])[back],
        "the factors fall from d to 1: you multiply by the rank": running((d + 1 - falling) * p[order])[back],
        "that is the step-up procedure, which needs an assumption on the dependence": least_above(steps)[back],
        "that controls the false discovery rate, not the chance of one false alarm": least_above(
            d / (d + 1 - falling) * p[order]
        )[back],
        "that is Šidák's factor, exact for independent p-values only": running(1 - (1 - p[order]) ** falling)[back],
        "these are the p-values as they came": p,
    }


def _orders(steps: Tensor, order: Tensor) -> dict[str, Tensor]:
    """The ways to return the steps, which are in the order of size, with the running maximum and the cap or without."""
    later = "a larger p-value may not get a smaller adjusted one: once a step fails, all later ones do"
    capped = "an adjusted p-value above one means one"
    both = (
        "a larger p-value may not get a smaller adjusted one: once a step fails, all later ones do. "
        "And an adjusted p-value above one means one"
    )
    unfinished = {later: steps.clamp_max(1), capped: steps.cummax(0).values, both: steps}
    lost = "the order of the features is lost: return the values in the order of the input"
    inverse = "sorting is undone by the inverse of the sorting order"
    done = steps.cummax(0).values.clamp_max(1)
    mistakes = {lost: done, inverse: done[order]}
    for text, values in unfinished.items():
        mistakes |= {
            text: values[order.argsort()],
            f"{lost}. And {text}": values,
            f"{inverse}. And {text}": values[order],
        }
    return mistakes


@exercise.part("agrees with the closed test", points=2)
def closed_test(answer: Answer, generator: Generator) -> None:
    for count in (integer(5, 8, generator), 5):
        # The second and third step fall back below the first, and the largest would exceed one.
        first = uniform(0.005, 0.02, generator)
        low = [first, first * uniform(1.02, 1.1, generator), uniform(0.03, 0.06, generator)]
        high = [uniform(0.5, 0.58, generator), uniform(0.6, 0.9, generator)]
        middle = [uniform(0.1, 0.3, generator) for _ in range(count - 5)]
        p = torch.tensor(low + middle + high, dtype=torch.float64)
        p = p[_derangement(len(p), generator)]
        answer.expect(p, value=closed(p), relative=1e-9, mistakes=_mistakes(p))


def _derangement(count: int, generator: Generator) -> Tensor:
    """An order in which sorting, and the inverse of sorting, both matter."""
    while True:
        order = torch.randperm(count, generator=generator)
        if not torch.equal(order, order.argsort()):
            return order


@exercise.part("equal p values and short lists are no exception", points=1)
def short_lists(answer: Answer, generator: Generator) -> None:
    single = torch.tensor([uniform(0.1, 0.9, generator)], dtype=torch.float64)
    answer.expect(single, value=single, relative=1e-9)
    equal = torch.full((integer(3, 5, generator),), uniform(0.05, 0.15, generator), dtype=torch.float64)
    got = answer.tensor(equal, shape=equal.shape)
    if (got - got[0]).abs().max() > 1e-12:
        raise Mistake("equal p-values must get equal adjusted p-values")
    if (got - len(equal) * equal).abs().max() > 1e-9:
        raise Mistake("of equal p-values the first is multiplied by the number of all, and the others follow it")
