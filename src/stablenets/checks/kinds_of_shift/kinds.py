"""Which factor of a joint distribution has changed, and what a change of the classes does to the rest."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise

NAMES = Exercise("name-the-shift", chapter="kinds-of-shift", minutes=20)
BOTH = Exercise("both-at-once", chapter="kinds-of-shift", minutes=20)

KINDS = ("none", "covariate", "label", "both", "concept")


def _positive(*shape: int, generator: Generator) -> Tensor:
    """Positive numbers that sum to one along the last axis, none of them tiny."""
    numbers = 0.2 + torch.rand(shape, dtype=torch.float64, generator=generator)
    return numbers / numbers.sum(-1, keepdim=True)


def _factors(size: int, generator: Generator) -> Tensor:
    """By how much each row or column is to change: factors between 1 and 4, no two of them near each other."""
    order = torch.randperm(size, generator=generator)
    return torch.linspace(1, 4, size, dtype=torch.float64)[order]


def _joint(generator: Generator) -> Tensor:
    inputs, classes = integer(4, 6, generator), integer(2, 3, generator)
    return _positive(inputs * classes, generator=generator).view(inputs, classes)


def _reweighted(table: Tensor, weights: Tensor) -> Tensor:
    return table * weights / (table * weights).sum()


def _by_input(table: Tensor, generator: Generator) -> Tensor:
    """A covariate shift: every row times a factor."""
    return _reweighted(table, _factors(len(table), generator)[:, None])


def _by_class(table: Tensor, generator: Generator) -> Tensor:
    """A label shift: every column times a factor."""
    return _reweighted(table, _factors(table.shape[1], generator))


def _name(answer: Answer, source: Tensor, target: Tensor, right: str, why: str) -> None:
    """Require the right name; ``why`` says what a learner who gives another one has overlooked."""
    name = answer(source, target)
    if not isinstance(name, str) or name not in KINDS:
        raise Mistake(f"{answer.call(source, target)} must be one of {', '.join(map(repr, KINDS))}")
    if name != right:
        raise Mistake(f"it is not {name!r}: {why}")


@NAMES.part(points=1)
def one_factor_has_changed(answer: Answer, generator: Generator) -> None:
    table = _joint(generator)
    y_moves = "p(y) changes as well, but look at what stays, up to rounding"
    x_moves = "p(x) changes as well, but look at what stays, up to rounding"
    _name(answer, table, _by_input(table, generator), "covariate", y_moves)
    _name(answer, table, _by_class(table, generator), "label", x_moves)
    _name(answer, table, table + 1e-14 * table, "none", "the two tables are the same up to rounding")
    slightly = _reweighted(table, 1 + 1e-6 * _factors(len(table), generator)[:, None])
    _name(answer, table, slightly, "covariate", "even a small shift is one: torch.allclose lets much pass by default")


def _rotated(table: Tensor, generator: Generator) -> Tensor:
    """Other labels for the same inputs, with both margins as they were."""
    moved, amount = table.clone(), 0.8 * table.min()
    a, b = torch.randperm(len(table), generator=generator)[:2].tolist()
    moved[[a, b], [0, 1]] += amount
    moved[[a, b], [1, 0]] -= amount
    return moved


@NAMES.part(points=1)
def labels_of_the_same_inputs_have_changed(answer: Answer, generator: Generator) -> None:
    table = _joint(generator)
    _name(answer, table, _by_class(table, generator), "label", "here p(x | y) is the same")
    _name(answer, table, _rotated(table, generator), "concept", "both margins are the same, but p(y | x) is not")
    relabeled = table.sum(1, keepdim=True) * _positive(*table.shape, generator=generator)
    _name(answer, table, relabeled, "concept", "p(x) is the same, p(y | x) and p(x | y) are not")
    rare, row = table.clone(), integer(0, len(table) - 1, generator)
    rare[row] *= 1e-2
    other = rare.clone()
    other[row] = rare[row].flip(0)
    _name(answer, rare / rare.sum(), other / other.sum(), "concept", "an input that is rare counts as well")
    mixed = _by_class(_by_input(table, generator), generator)
    _name(answer, table, mixed, "concept", "rows and columns have changed: neither conditional is the same")


@NAMES.part(points=1)
def some_inputs_or_classes_never_occur(answer: Answer, generator: Generator) -> None:
    table, row = _joint(generator), integer(0, 3, generator)
    # Some input occurs on one side only; there the conditional is 0/0 and contradicts nothing.
    keep = torch.ones(len(table), 1, dtype=torch.float64)
    keep[row] = 0
    without = "at an input that one side never shows, p(y | x) contradicts nothing"
    _name(answer, _reweighted(table, keep), _by_input(table, generator), "covariate", without)
    _name(answer, table, _reweighted(_by_input(table, generator), keep), "covariate", without)
    _name(answer, _reweighted(table, keep), _reweighted(table, 1 - keep), "covariate", without)
    wide = _positive(len(table) * 3, generator=generator).view(-1, 3)
    some = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    _name(answer, wide, _reweighted(wide, some), "label", "a class that one side never shows contradicts nothing")
    one_label = torch.eye(2, dtype=torch.float64).repeat(3, 1)[: len(table)]
    certain = _positive(len(table), generator=generator)[:, None] * one_label
    _name(answer, certain, _by_class(certain, generator), "both", "neither p(y | x) nor p(x | y) has changed")
    within = "p(y | x) is the same, p(x | y) is not: inputs of one class have changed unequally"
    _name(answer, certain, _by_input(certain, generator), "covariate", within)


def _bayes(source: Tensor, conditional: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The distribution of the inputs and the conditional after the classes got the weights."""
    joint = source[:, None] * conditional * weights
    return joint.sum(1), joint / joint.sum(1, keepdim=True)


def _problem(generator: Generator, *, certain: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    inputs, classes = integer(5, 7, generator), integer(4, 5, generator)
    source = _positive(inputs, generator=generator).square()
    conditional = _positive(inputs, classes, generator=generator).square()
    conditional = conditional / conditional.sum(1, keepdim=True)
    if certain:
        conditional = torch.eye(classes, dtype=torch.float64).repeat(2, 1)[torch.arange(inputs) % classes]
    source = source / source.sum()
    prior = _factors(classes, generator) * (source @ conditional)
    return source, conditional, prior / prior.sum()


def _value(answer: Answer, index: int, what: str, problem: tuple[Tensor, Tensor, Tensor]) -> Value:
    source, conditional, _ = problem
    return Value(answer, index, what, (source.shape, conditional.shape, ()))


def _weights(source: Tensor, conditional: Tensor, prior: Tensor) -> dict[str, Tensor]:
    """What is often taken for the weights q(y)/p(y) of the classes."""
    old = source @ conditional
    return {
        "divide by the source's p(y): a class counts q(y)/p(y)": prior,
        "the weights of the classes are upside down": old / prior,
        "p(y) is the mean of p(y | x) over the inputs with their probabilities, not over the rows": (
            prior / conditional.mean(0)
        ),
    }


@BOTH.part(points=1)
def inputs_follow_the_classes(answer: Answer, generator: Generator) -> None:
    for certain in (False, True):
        problem = source, conditional, prior = _problem(generator, certain=certain)
        wrong = {text: _bayes(source, conditional, w)[0] for text, w in _weights(*problem).items()}
        _value(answer, 0, "distribution q(x)", problem).expect(
            *problem,
            value=_bayes(source, conditional, prior / (source @ conditional))[0],
            mistakes={
                "the inputs do not stay as they were: q(x) = Σ p(x | y) q(y)": source,
                "it is p(x | y) that q(y) is to be multiplied by, not p(y | x)": conditional @ prior,
                "p(x | y) is p(x, y)/p(y): the columns of p(y | x) know nothing of p(x)": (
                    conditional / conditional.sum(0) @ prior
                ),
            }
            | {text: total / total.sum() for text, total in wrong.items()}
            | {f"q(x) must sum to one: {text}": total for text, total in wrong.items()},
        )


@BOTH.part(points=1)
def labels_of_an_input_follow_as_well(answer: Answer, generator: Generator) -> None:
    for certain in (True, False):
        problem = source, conditional, prior = _problem(generator, certain=certain)
        weights = prior / (source @ conditional)
        joint = source[:, None] * conditional * weights
        _value(answer, 1, "conditional q(y | x)", problem).expect(
            *problem,
            value=_bayes(source, conditional, weights)[1],
            mistakes={
                "p(y | x) stays under a covariate shift: here p(x | y) stays": conditional,
                "each row must sum to one: divide by q(x)": conditional * weights,
                "that is the joint distribution: divide by q(x)": joint,
                "each row must sum to one: that is q(x | y)": joint / joint.sum(0),
            }
            | {text: _bayes(source, conditional, w)[1] for text, w in _weights(*problem).items()},
        )


@BOTH.part(points=1)
def movement_is_zero_for_certain_labels_alone(answer: Answer, generator: Generator) -> None:
    for certain in (False, True):
        problem = source, conditional, prior = _problem(generator, certain=certain)
        inputs, new = _bayes(source, conditional, prior / (source @ conditional))
        distance = (new - conditional).abs().sum(1) / 2
        named = {
            "half of the sum: a distance between distributions is at most one": 2 * inputs @ distance,
            "weigh the inputs as the target does": source @ distance,
            "weigh the inputs: they are not equally probable": distance.mean(),
            "the mean over the inputs, not the largest": distance.max(),
            "compare the conditionals of each input, not the joint distributions": (
                (inputs[:, None] * new - source[:, None] * conditional).abs().sum() / 2
            ),
            "the labels of uncertain inputs do move": 0.0,
        }
        _value(answer, 2, "movement", problem).expect(
            *problem, value=inputs @ distance, absolute=1e-9, mistakes={} if certain else named
        )
