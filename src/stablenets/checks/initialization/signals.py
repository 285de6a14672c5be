"""Checks of the exercises on the signal that an activation lets through."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from stablenets.activations import resolve
from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.exercise import Exercise
from stablenets.checks.initialization.draws import Value, between, gaussian, integer
from stablenets.data import digits
from stablenets.networks import mlp
from stablenets.training import accuracy, train

RELU = Exercise("relu-moments", chapter="initialization", minutes=15)


@RELU.part(points=2)
def second_moment_after_the_relu(answer: Answer, generator: Generator) -> None:
    z, p = gaussian()
    for tau in (between(0.1, 10, generator) for _ in range(3)):
        mistakes = {
            "that is the second moment before the ReLU": tau**2,
            "tau is the standard deviation, not the variance": tau / 2,
            "that is the mean of relu(z), not of its square": tau / math.sqrt(2 * math.pi),
            "that is the variance: nothing must be subtracted here": (1 - 1 / math.pi) * tau**2 / 2,
        }
        value = p @ torch.relu(tau * z).square()
        Value(answer, 0, "second moment").expect(tau, value=value, mistakes=mistakes)


@RELU.part(points=2)
def variance_after_the_relu(answer: Answer, generator: Generator) -> None:
    z, p = gaussian()
    for tau in (between(0.1, 10, generator) for _ in range(3)):
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


def _expect_gain(answer: Answer, name: str, slope: float, shift: float, generator: Generator) -> None:
    """The activation is φ(slope · z) + shift."""
    z = torch.linspace(-1, 1, integer(2001, 4001, generator), dtype=torch.float64) * between(8, 12, generator)
    x, p = gaussian()
    x.requires_grad_()
    phi, h = (resolve(name)(slope * grid) + shift for grid in (z, x))
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
    for name in ("tanh", "gelu", "relu", "silu", "softplus"):
        _expect_gain(answer, name, 1.0, 0.0, generator)


@GAIN.part(points=2)
def keeps_the_signal_of_activations_without_a_name(answer: Answer, generator: Generator) -> None:
    for name in ("linear", "erf", "elu", "sigmoid"):
        _expect_gain(answer, name, between(0.3, 3, generator), between(0.1, 2, generator), generator)


STUCK = Exercise("stuck-network", chapter="initialization", minutes=20)

DEPTH, STEPS = 30, 440


def _shapes(generator: Generator) -> list[tuple[int, int]]:
    width = integer(112, 144, generator)
    return [(width, 64), *[(width, width)] * (DEPTH - 2), (10, width)]


def _diagnose(weights: Sequence[Tensor], x: Tensor) -> None:
    """Raise the mistake of weights with which the signal does not come through thirty ReLU layers."""
    for index, weight in enumerate(weights):
        if not weight.any():
            raise Mistake(f"the weights of layer {index} are all zero, so no signal passes")
        if (weight == weight[0]).all():
            raise Mistake(f"all units of layer {index} have equal weights and stay equal: this symmetry must be broken")
    moments = []
    for weight in weights[:-1]:
        x = torch.relu(x @ weight.T)
        moments.append(x.square().mean().clamp_min(1e-300))
    factor = (moments[-1] / moments[0]).item() ** (1 / (len(moments) - 1))
    for name, low, high in (("PyTorch's default does", 0.14, 0.2), ("Xavier's rule does", 0.4, 0.6)):
        if low < factor < high:
            raise Mistake(f"each layer shrinks the second moment of the signal {1 / factor:.0f}-fold, as {name}")
    if factor < 0.8:
        raise Mistake("the weights are too small: the signal fades from layer to layer")
    if factor > 1.25:
        raise Mistake("the weights are too large: the signal grows from layer to layer")


@STUCK.part(points=2)
def signal_comes_through_thirty_layers(answer: Answer, generator: Generator) -> None:
    shapes, seed = _shapes(generator), integer(0, 10**6, generator)
    _diagnose(answer.tensors(shapes, seed, shapes=shapes), digits().x_train.double())


@STUCK.part(points=2)
def network_trains(answer: Answer, generator: Generator) -> None:
    shapes, seed = _shapes(generator), integer(0, 10**6, generator)
    data, weights = digits(), answer.tensors(shapes, seed, shapes=shapes)
    _diagnose(weights, data.x_train.double())
    model = mlp(DEPTH, shapes[0][0])
    with torch.no_grad():
        for layer, weight in zip(filter(lambda module: isinstance(module, nn.Linear), model), weights):
            layer.weight.copy_(weight)
            layer.bias.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.003, momentum=0.9)
    train(model, data.x_train, data.y_train, optimizer, steps=STEPS, generator=generator)
    if accuracy(model, data.x_test, data.y_test) < 0.6:
        raise Mistake("the signal comes through, but the network does not reach an accuracy of 0.6")


@STUCK.part(points=1)
def weights_depend_on_the_seed_alone(answer: Answer, generator: Generator) -> None:
    shapes, seed = _shapes(generator), integer(0, 10**6, generator)
    first, again, other = (answer.tensors(shapes, s, shapes=shapes) for s in (seed, seed, seed + 1))
    if not all(map(torch.equal, first, again)):
        raise Mistake("two calls with the same seed give different weights: draw from a generator with that seed")
    if any(map(torch.equal, first, other)):
        raise Mistake("two seeds give the same weights: draw them at random, from a generator with the seed")
