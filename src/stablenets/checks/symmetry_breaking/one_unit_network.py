"""A wide network of equal units, trained as a network of one unit."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


def _train(w: Tensor, v: Tensor, x: Tensor, y: Tensor, rates: Sequence[float], steps: int, factor: float = 1.0):
    """Descent with autograd on factor · Σ_j v_j tanh(w_j·x), with a rate each for w and v."""
    parameters = [w.clone().requires_grad_(), v.clone().requires_grad_()]
    for _ in range(steps):
        w, v = parameters
        loss = (factor * torch.tanh(x @ w.T) @ v - y).square().mean() / 2
        for p, gradient, rate in zip(parameters, torch.autograd.grad(loss, parameters), rates):
            p.data -= rate * gradient
    return [p.detach() for p in parameters]


def _one_unit(answer: Answer, steps: int, generator: Generator) -> None:
    inputs, examples, width = integer(3, 5, generator), integer(6, 10, generator), integer(3, 40, generator)
    w, v = normal(inputs, generator=generator) / 2, uniform(0.5, 1.5, generator) / width
    x, y = normal(examples, inputs, generator=generator), 2 * normal(examples, generator=generator)
    rate = uniform(0.2, 0.6, generator) / width
    arguments = (w, v, width, x, y, rate, steps)
    got = answer.tensors(*arguments, shapes=[(inputs,), ()])
    wide_w, wide_v = _train(w.repeat(width, 1), torch.full((width,), v, dtype=torch.float64), x, y, (rate, rate), steps)
    right = [wide_w[0], wide_v.sum()]

    def near(candidate: Sequence[Tensor]) -> bool:
        return all(torch.allclose(a, b, rtol=1e-8, atol=1e-10) for a, b in zip(got, candidate))

    if near(right):
        return

    def narrow(start: float, rates: tuple[float, float], factor: float = 1.0) -> tuple[Tensor, Tensor]:
        one_w, one_v = _train(w[None], torch.tensor([start], dtype=torch.float64), x, y, rates, steps, factor)
        return one_w[0], one_v[0]

    same, known = (rate, rate), rate / width
    mistakes = {
        "that is one unit of the wide network, and the others are missing in its output": (wide_w[0], wide_v[0]),
        "that trains one unit alone, whose output is not that of all together": narrow(v, same),
        "with one rate for both layers the plain network leaves the path of the wide one": narrow(width * v, same),
        "the rate of the hidden weights must be divided by the width, that of the output weight must not": narrow(
            width * v, (known, known)
        ),
        "the output weight stands for all units together, and so does its step": narrow(width * v, (known, rate)),
        "the two rates are swapped": narrow(width * v, (width * rate, known)),
        "with the factor in front, the rate must be divided by the width": narrow(v, same, width),
        "that is the output weight of a network with the width as a factor; here it must hold the factor": narrow(
            v, (known, known), width
        ),
        "the output is a sum over the units, not their mean": (wide_w[0], wide_v.sum() / width**2),
    }
    for message, candidate in mistakes.items():
        if near(candidate):
            raise Mistake(f"{answer.call(*arguments)}: {message}")
    part = "output weight" if torch.allclose(got[0], right[0], rtol=1e-8, atol=1e-10) else "hidden weights"
    raise Mistake(f"{answer.call(*arguments)}: the {part} of this network would not give the function of the wide one")


@exercise.part("same function before training", points=1)
def before_training(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        _one_unit(answer, 0, generator)


@exercise.part("same function after training", points=3)
def after_training(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        _one_unit(answer, integer(10, 40, generator), generator)
