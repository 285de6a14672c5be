"""Checks of the exercises on what is conserved, what rounding breaks, and what symmetry is good for."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import integer, log_uniform, normal
from stablenets.checks.exercise import Exercise

BALANCE = Exercise("balancedness", chapter="symmetry-breaking", minutes=25)


def _problem(generator: Generator) -> list[Tensor]:
    inputs, width, outputs, examples = 4, integer(5, 6, generator), 3, integer(7, 9, generator)
    shapes = (width, inputs), (outputs, width), (examples, inputs), (examples, outputs)
    return [normal(*shape, generator=generator) / scale for shape, scale in zip(shapes, (2, 2, 1, 1))]


def _gradients(w1: Tensor, w2: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    w1, w2 = w1.clone().requires_grad_(), w2.clone().requires_grad_()
    loss = (x @ w1.T @ w2.T - y).square().sum() / (2 * len(x))
    return torch.autograd.grad(loss, (w1, w2))


def _balance(w1: Tensor, w2: Tensor) -> Tensor:
    return w1 @ w1.T - w2.T @ w2


def _drift(w1: Tensor, w2: Tensor, x: Tensor, y: Tensor, rate: float, steps: int) -> Tensor:
    before = _balance(w1, w2)
    for _ in range(steps):
        g1, g2 = _gradients(w1, w2, x, y)
        w1, w2 = w1 - rate * g1, w2 - rate * g2
    return _balance(w1, w2) - before


def _expect_drift(answer: Answer, rate: float, steps: int, generator: Generator) -> None:
    problem = _problem(generator)
    width = len(problem[0])
    value = _drift(*problem, rate, steps)
    g1, g2 = _gradients(*problem)
    mistakes = {
        "only infinitely small steps conserve the balance": torch.zeros(width, width),
        "that is the balance at the end: subtract that at the start": value + _balance(*problem[:2]),
        "the sign: after minus before, first layer minus second": -value,
        "w2ᵀ w2 is subtracted, not added": rate**2 * (g1 @ g1.T + g2.T @ g2),
        "the loss is a mean over the examples": _drift(*problem, rate * len(problem[2]), steps),
        "the loss has a factor one half": _drift(*problem, 2 * rate, steps),
        "the change of a step is of second order in the rate": value / rate,
        "the weights move from step to step, and the gradients with them": steps * rate**2 * (g1 @ g1.T - g2.T @ g2),
        "that is the change of one step": rate**2 * (g1 @ g1.T - g2.T @ g2),
    }
    answer.expect(*problem, rate, steps, value=value, relative=1e-7, mistakes=mistakes)


@BALANCE.part(points=1)
def drift_of_one_step(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        _expect_drift(answer, log_uniform(0.02, 0.1, generator), 1, generator)


@BALANCE.part(points=1)
def drift_of_many_steps(answer: Answer, generator: Generator) -> None:
    _expect_drift(answer, log_uniform(0.02, 0.06, generator), integer(20, 40, generator), generator)


@BALANCE.part(points=2)
def drift_below_rounding(answer: Answer, generator: Generator) -> None:
    problem, rate, steps = _problem(generator), log_uniform(1e-11, 1e-10, generator), integer(2, 6, generator)
    # One step's change is exactly proportional to the square of the rate, and so few tiny steps leave the gradients.
    value = steps * rate**2 * _drift(*problem, 1.0, 1)
    arguments = (*problem, rate, steps)
    if (answer.tensor(*arguments, shape=value.shape) - value).abs().max() > 100 * value.abs().max():
        raise Mistake(
            f"{answer.call(*arguments)}: the drift is smaller than the rounding of the balance itself, so a difference "
            "of two balances is noise; multiply out what one step changes"
        )
    mistakes = {
        "only infinitely small steps conserve the balance": torch.zeros_like(value),
        "that is the change of one step": value / steps,
    }
    answer.expect(*arguments, value=value, relative=1e-6, mistakes=mistakes)


ROUNDING = Exercise("rounding-breaker", chapter="symmetry-breaking", minutes=25)


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


@ROUNDING.part(points=2)
def outputs_of_equal_units_are_bitwise_equal(answer: Answer, generator: Generator) -> None:
    _expect_values(answer, 0, generator)
    _expect_ties(answer, 0, generator)


@ROUNDING.part(points=2)
def gradients_of_equal_units_are_bitwise_equal(answer: Answer, generator: Generator) -> None:
    _expect_values(answer, 1, generator)
    _expect_ties(answer, 1, generator)


Exercise("useful-symmetry", chapter="symmetry-breaking", minutes=15, manual_points=2)
