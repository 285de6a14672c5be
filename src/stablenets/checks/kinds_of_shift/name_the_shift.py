"""Which factor of a joint distribution has changed."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise
from stablenets.checks.kinds_of_shift._probabilities import factors, positive

exercise = Exercise.of(__name__, minutes=20)


KINDS = ("none", "covariate", "label", "both", "concept")


def _joint(generator: Generator) -> Tensor:
    inputs, classes = integer(4, 6, generator), integer(2, 3, generator)
    return positive(inputs * classes, generator=generator).view(inputs, classes)


def _reweighted(table: Tensor, weights: Tensor) -> Tensor:
    return table * weights / (table * weights).sum()


def _by_input(table: Tensor, generator: Generator) -> Tensor:
    """A covariate shift: every row times a factor."""
    return _reweighted(table, factors(len(table), generator)[:, None])


def _by_class(table: Tensor, generator: Generator) -> Tensor:
    """A label shift: every column times a factor."""
    return _reweighted(table, factors(table.shape[1], generator))


def _name(answer: Answer, source: Tensor, target: Tensor, right: str, why: str) -> None:
    """Require the right name; ``why`` says what a learner who gives another one has overlooked."""
    name = answer(source, target)
    if not isinstance(name, str) or name not in KINDS:
        raise Mistake(f"{answer.call(source, target)} must be one of {', '.join(map(repr, KINDS))}")
    if name != right:
        raise Mistake(f"it is not {name!r}: {why}")


@exercise.part("one factor has changed", points=1)
def one_factor(answer: Answer, generator: Generator) -> None:
    table = _joint(generator)
    y_moves = "p(y) changes as well, but look at what stays, up to rounding"
    x_moves = "p(x) changes as well, but look at what stays, up to rounding"
    _name(answer, table, _by_input(table, generator), "covariate", y_moves)
    _name(answer, table, _by_class(table, generator), "label", x_moves)
    _name(answer, table, table + 1e-14 * table, "none", "the two tables are the same up to rounding")
    slightly = _reweighted(table, 1 + 1e-6 * factors(len(table), generator)[:, None])
    _name(answer, table, slightly, "covariate", "even a small shift is one: torch.allclose lets much pass by default")


def _rotated(table: Tensor, generator: Generator) -> Tensor:
    """Other labels for the same inputs, with both margins as they were."""
    moved, amount = table.clone(), 0.8 * table.min()
    a, b = torch.randperm(len(table), generator=generator)[:2].tolist()
    moved[[a, b], [0, 1]] += amount
    moved[[a, b], [1, 0]] -= amount
    return moved


@exercise.part("labels of the same inputs have changed", points=1)
def same_inputs(answer: Answer, generator: Generator) -> None:
    table = _joint(generator)
    _name(answer, table, _by_class(table, generator), "label", "here p(x | y) is the same")
    _name(answer, table, _rotated(table, generator), "concept", "both margins are the same, but p(y | x) is not")
    relabeled = table.sum(1, keepdim=True) * positive(*table.shape, generator=generator)
    _name(answer, table, relabeled, "concept", "p(x) is the same, p(y | x) and p(x | y) are not")
    rare, row = table.clone(), integer(0, len(table) - 1, generator)
    rare[row] *= 1e-2
    other = rare.clone()
    other[row] = rare[row].flip(0)
    _name(answer, rare / rare.sum(), other / other.sum(), "concept", "an input that is rare counts as well")
    mixed = _by_class(_by_input(table, generator), generator)
    _name(answer, table, mixed, "concept", "rows and columns have changed: neither conditional is the same")


@exercise.part("some inputs or classes never occur", points=1)
def missing_inputs_or_classes(answer: Answer, generator: Generator) -> None:
    table, row = _joint(generator), integer(0, 3, generator)
    # Some input occurs on one side only; there the conditional is 0/0 and contradicts nothing.
    keep = torch.ones(len(table), 1, dtype=torch.float64)
    keep[row] = 0
    without = "at an input that one side never shows, p(y | x) contradicts nothing"
    _name(answer, _reweighted(table, keep), _by_input(table, generator), "covariate", without)
    _name(answer, table, _reweighted(_by_input(table, generator), keep), "covariate", without)
    _name(answer, _reweighted(table, keep), _reweighted(table, 1 - keep), "covariate", without)
    wide = positive(len(table) * 3, generator=generator).view(-1, 3)
    some = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    _name(answer, wide, _reweighted(wide, some), "label", "a class that one side never shows contradicts nothing")
    one_label = torch.eye(2, dtype=torch.float64).repeat(3, 1)[: len(table)]
    certain = positive(len(table), generator=generator)[:, None] * one_label
    _name(answer, certain, _by_class(certain, generator), "both", "neither p(y | x) nor p(x | y) has changed")
    within = "p(y | x) is the same, p(x | y) is not: inputs of one class have changed unequally"
    _name(answer, certain, _by_input(certain, generator), "covariate", within)
