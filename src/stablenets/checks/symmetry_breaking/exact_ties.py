"""Gradient descent on a small network in fractions, which keeps equal units exactly equal."""

from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


Matrix = list[list[Fraction]]


LONGEST = 10_000  # characters of a fraction


class Slip(NamedTuple):
    """What a known wrong gradient step does otherwise; the defaults do it right."""

    slope: int = 2
    total: bool = False
    direction: int = -1
    in_turn: bool = False
    one_entry: bool = False


SLIPS = {
    "the loss is a mean over the examples: divide by their number": Slip(total=True),
    "the derivative of z² is 2z": Slip(slope=1),
    "descent goes against the gradient": Slip(direction=1),
    "both gradients belong to the same weights: compute both before you change either": Slip(in_turn=True),
    "the entries of a unit do not get one common step: each is multiplied by its own input": Slip(one_entry=True),
}


def _descend(w: Matrix, v: list[Fraction], x: Matrix, y: list[Fraction], rate: Fraction, steps: int, slip: Slip):
    for _ in range(steps):
        count = 1 if slip.total else len(x)
        z = [[sum(a * b for a, b in zip(unit, example)) for unit in w] for example in x]
        errors = [sum(a * b**2 for a, b in zip(v, row)) - target for row, target in zip(z, y)]
        output = [sum(e * row[j] ** 2 for e, row in zip(errors, z)) / count for j in range(len(v))]
        after = [a + slip.direction * rate * g for a, g in zip(v, output)]
        front = after if slip.in_turn else v
        back = [[e * a * slip.slope * b / count for a, b in zip(front, row)] for e, row in zip(errors, z)]
        seen = [[sum(example) / len(example)] * len(example) for example in x] if slip.one_entry else x
        w = [
            [a + slip.direction * rate * sum(d[j] * s[i] for d, s in zip(back, seen)) for i, a in enumerate(unit)]
            for j, unit in enumerate(w)
        ]
        v = after
    return [w, v]


def _text(value: object) -> object:
    return [_text(item) for item in value] if isinstance(value, list) else str(value)


def _fractions(value: object, like: object, where: str) -> object:
    """Read strings or integers in nested lists shaped as ``like``."""
    if isinstance(like, list):
        if not isinstance(value, (list, tuple)) or len(value) != len(like):
            raise Mistake(f"{where} must return [w, v] as lists with the lengths of the weights that it got")
        return [_fractions(*pair, where) for pair in zip(value, like)]
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        kind = type(value).__name__
        raise Mistake(f"{where} returned a {kind}, not exact text: return strings, such as str(Fraction(3, 7))")
    if isinstance(value, str) and ("e" in value.lower() or len(value) > LONGEST):
        # A power of ten may stand for millions of digits.
        raise Mistake(f"{where} returned {value[:20]!r} …: write fractions with their digits, such as '3/7'")
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError) as error:
        raise Mistake(f"{where} returned {value!r}, which is not a fraction") from error


def _expect_descent(answer: Answer, problem: tuple, steps: int) -> None:
    arguments = [*map(_text, problem), steps]
    right = _descend(*problem, steps, Slip())
    got = _fractions(answer(*arguments), right, answer.call(*arguments))
    if got == right:
        return
    for message, slip in SLIPS.items():
        if got == _descend(*problem, steps, slip):
            raise Mistake(f"{answer.call(*arguments)}: {message}")
    if problem[0][0] == problem[0][-1] and any(unit != got[0][0] for unit in got[0]):
        raise Mistake(f"{answer.call(*arguments)}: units that start equal must stay equal, exactly")
    call, hidden = answer.call(*arguments), got[0] != right[0]
    raise Mistake(f"{call}: the {'hidden' if hidden else 'output'} weights are not exactly those of gradient descent")


def _draw(count: int, generator: Generator) -> list[Fraction]:
    """Fractions without zero and without repetition."""
    numerators = (torch.randperm(9, generator=generator)[:count] + 1).tolist()
    signs = [integer(0, 1, generator) * 2 - 1 for _ in numerators]
    return [Fraction(s * a, integer(2, 4, generator) * 4) for s, a in zip(signs, numerators)]


def _problem(units: int, equal: bool, generator: Generator) -> tuple:
    inputs, examples = integer(2, 3, generator), 3
    w = [_draw(inputs, generator) for _ in range(units)]
    v = _draw(units, generator)
    if equal:
        w, v = [[abs(w[0][0])] * inputs] * units, [abs(v[0])] * units
    x = [_draw(inputs, generator) for _ in range(examples)]
    return w, v, x, _draw(examples, generator), Fraction(1, integer(2, 5, generator))


@exercise.part("one step from any weights", points=2)
def one_step(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        _expect_descent(answer, _problem(integer(2, 4, generator), False, generator), 1)


@exercise.part("three steps from equal weights", points=2)
def equal_weights(answer: Answer, generator: Generator) -> None:
    for _ in range(2):
        _expect_descent(answer, _problem(integer(2, 4, generator), True, generator), 3)
