"""A layer that gives equal units bitwise equal outputs and gradients."""

from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import integer, normal
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


def _part(answer: Answer, index: int, weight: Tensor, delta: Tensor) -> Value:
    """The outputs (index 0) or the gradient (index 1) alone."""
    return Value(answer, index, ("outputs", "gradient")[index], [delta.shape, weight.shape])


def _rows(answer: Answer, index: int, weight: Tensor, x: Tensor, delta: Tensor) -> Tensor:
    """What the answer gives each unit: a row of outputs (index 0) or of the gradient (index 1)."""
    found = _part(answer, index, weight, delta)(weight, x, delta)
    return found if index else found.T


def _expect_values(answer: Answer, index: int, generator: Generator) -> None:
    """Sums that are right to rounding, for units that all differ."""
    units, inputs, examples = integer(3, 9, generator), integer(30, 60, generator), integer(10, 20, generator)
    weight, x = normal(units, inputs, generator=generator), normal(examples, inputs, generator=generator)
    delta = normal(examples, units, generator=generator)
    right = (weight @ x.T, delta.T @ x)[index]
    call = _part(answer, index, weight, delta).call(weight, x, delta)
    error = (_rows(answer, index, weight, x, delta) - right).abs().max() / right.abs().max()
    if error > 1e-6:
        raise Mistake(f"{call}: wrong by far more than rounding")
    if error > 1e-13:
        raise Mistake(
            f"{call}: correct to {error:.0e} only; fewer digits hide a tie that is broken, "
            "and lose accuracy: keep float64"
        )


def _expect_ties(answer: Answer, index: int, generator: Generator) -> None:
    """The same bits for a unit alone, among copies of itself, and among strangers.

    Which of the three comparisons a product of matrices fails depends on the processor. With sums as long as these it
    fails some of them on all that we know: those of MKL for SSE4.2, AVX2 and AVX-512, and for AMD.
    """
    inputs, examples = (((100, 200), (40, 60)), ((30, 60), (500, 600)))[index]
    for units in (7, 13, 21):
        m, d = integer(*examples, generator), integer(*inputs, generator)
        x = normal(m, d, generator=generator)
        weight, delta = normal(1, d, generator=generator), normal(m, 1, generator=generator)
        strangers = normal(units, d, generator=generator), normal(m, units, generator=generator)
        place = integer(0, units - 1, generator)
        strangers[0][place], strangers[1][:, place] = weight[0], delta[:, 0]
        alone = _rows(answer, index, weight, x, delta)[0]
        copies = _rows(answer, index, weight.repeat(units, 1), x, delta.repeat(1, units))
        among_strangers = _rows(answer, index, strangers[0], x, strangers[1])[place]
        if (copies != alone).any() or (among_strangers != alone).any():
            raise Mistake(
                f"the {('output', 'gradient')[index]} of a unit changes in its last bits with the units beside it"
            )


@exercise.part("outputs of equal units are bitwise equal", points=2)
def outputs(answer: Answer, generator: Generator) -> None:
    _expect_values(answer, 0, generator)
    _expect_ties(answer, 0, generator)


@exercise.part("gradients of equal units are bitwise equal", points=2)
def gradients(answer: Answer, generator: Generator) -> None:
    _expect_values(answer, 1, generator)
    _expect_ties(answer, 1, generator)
