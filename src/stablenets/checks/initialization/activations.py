"""Checks of the exercises on the signal that an activation lets through."""

import math
from collections.abc import Callable

import torch
from torch import Generator
from torch.nn import functional

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import gaussian, integer, log_uniform
from stablenets.checks.exercise import Exercise

RELU = Exercise("relu-moments", chapter="initialization", minutes=15)


@RELU.part(points=2)
def second_moment_after_the_relu(answer: Answer, generator: Generator) -> None:
    z, p = gaussian()
    for tau in (log_uniform(0.1, 10, generator) for _ in range(3)):
        mistakes = {
            "that is the second moment before the ReLU": tau**2,
            "tau is the standard deviation, not the variance": tau / 2,
            "that is the mean of relu(z), not of its square": tau / math.sqrt(2 * math.pi),
            "that is the variance: nothing must be subtracted here": (1 - 1 / math.pi) * tau**2 / 2,
        }
        value = p @ torch.relu(tau * z).square()
        Value(answer, 0, "second moment").expect(tau, value=value, relative=1e-5, mistakes=mistakes)


@RELU.part(points=2)
def variance_after_the_relu(answer: Answer, generator: Generator) -> None:
    z, p = gaussian()
    for tau in (log_uniform(0.1, 10, generator) for _ in range(3)):
        mistakes = {
            "that is the second moment: the mean of relu(z) is not zero": tau**2 / 2,
            "that is the variance of |z|": (1 - 2 / math.pi) * tau**2,
            "half the variance of |z| forgets that relu(z) is often zero": (0.5 - 1 / math.pi) * tau**2,
            "subtract the square of the mean, not the mean": tau**2 / 2 - tau / math.sqrt(2 * math.pi),
        }
        relu = torch.relu(tau * z)
        value = p @ (relu - p @ relu).square()
        Value(answer, 1, "variance").expect(tau, value=value, relative=1e-5, mistakes=mistakes)


GAIN = Exercise("numerical-gain", chapter="initialization", minutes=15)


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


@GAIN.part(points=2)
def keeps_the_signal_of_the_named_activations(answer: Answer, generator: Generator) -> None:
    for activation in (torch.tanh, functional.gelu, torch.relu, functional.silu, functional.softplus):
        _expect_gain(answer, activation, 1.0, 0.0, generator)


@GAIN.part(points=2)
def keeps_the_signal_of_activations_without_a_name(answer: Answer, generator: Generator) -> None:
    for activation in (torch.clone, torch.erf, functional.elu, torch.sigmoid):
        _expect_gain(answer, activation, log_uniform(0.3, 3, generator), log_uniform(0.1, 2, generator), generator)
