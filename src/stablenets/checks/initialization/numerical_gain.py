"""The gain with which any activation keeps the signal."""

import math
from collections.abc import Callable

import torch
from torch import Generator
from torch.nn import functional

from stablenets.checks.answer import Answer
from stablenets.checks.draws import gaussian, integer, log_uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=15)


def _expect_gain(answer: Answer, activation: Callable, slope: float, shift: float, generator: Generator) -> None:
    """The activation is φ(slope · z) + shift."""
    z = torch.linspace(-1, 1, integer(2001, 4001, generator), dtype=torch.float64) * log_uniform(8, 12, generator)
    x, p = gaussian()
    x.requires_grad_()
    phi, h = (activation(slope * grid) + shift for grid in (z, x))
    derivative = torch.autograd.grad(h.sum(), x)[0]
    second, mean, h = p @ h.detach().square(), p @ h.detach(), h.detach()
    mistakes = {
        "the mean must not be subtracted: the next layer feels the second moment": (second - mean**2).rsqrt(),
        "the square root is missing": 1 / second,
        "that is how much the activation shrinks the signal; the gain makes up for it": second.sqrt(),
        "that keeps the gradient, not the signal": (p @ derivative.square()).rsqrt(),
        "the mean must be over a Gaussian z, not over the grid": phi.square().mean().rsqrt(),
        "the mean of |φ| is not the root of the mean of φ²": 1 / (p @ h.abs()),
        "5/3, PyTorch's gain for tanh, does not keep the second moment": 5 / 3,
        "√2 is right for ReLU alone": math.sqrt(2),
    }
    answer.expect(z, phi, value=second.rsqrt(), relative=1e-4, mistakes=mistakes)


@exercise.part("keeps the signal of the named activations", points=2)
def named_activations(answer: Answer, generator: Generator) -> None:
    for activation in (torch.tanh, functional.gelu, torch.relu, functional.silu, functional.softplus):
        _expect_gain(answer, activation, 1.0, 0.0, generator)


@exercise.part("keeps the signal of activations without a name", points=2)
def unnamed_activations(answer: Answer, generator: Generator) -> None:
    for activation in (torch.clone, torch.erf, functional.elu, torch.sigmoid):
        _expect_gain(answer, activation, log_uniform(0.3, 3, generator), log_uniform(0.1, 2, generator), generator)
