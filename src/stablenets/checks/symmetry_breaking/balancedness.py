"""What a continuous symmetry conserves, and how far finite steps drift from it."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, log_uniform, normal
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


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


@exercise.part("drift of one step", points=1)
def one_step(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        _expect_drift(answer, log_uniform(0.02, 0.1, generator), 1, generator)


@exercise.part("drift of many steps", points=1)
def many_steps(answer: Answer, generator: Generator) -> None:
    _expect_drift(answer, log_uniform(0.02, 0.06, generator), integer(20, 40, generator), generator)


@exercise.part("drift below rounding", points=2)
def below_rounding(answer: Answer, generator: Generator) -> None:
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
