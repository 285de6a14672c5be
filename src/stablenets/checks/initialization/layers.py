"""Checks of the exercises on the weights of one layer."""

import math

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import integer, log_uniform
from stablenets.checks.exercise import Exercise

DEFAULT = Exercise("default-linear", chapter="initialization", minutes=10)


def _default_layer(generator: Generator) -> tuple[int, Tensor]:
    """A fan-in, and so many weights that their maximum and their mean square are as good as known."""
    fan_in = integer(6, 64, generator)
    with torch.random.fork_rng(devices=[]):  # PyTorch's default draws from the global generator
        torch.manual_seed(integer(0, 10**6, generator))
        return fan_in, nn.Linear(fan_in, 1_200_000 // fan_in).weight.detach().double()


def _number(answer: Answer, index: int, what: str) -> Value:
    return Value(answer, index, what, shapes=[(), (), ()])


@DEFAULT.part(points=1)
def bound_of_a_real_layer(answer: Answer, generator: Generator) -> None:
    fan_in, weight = _default_layer(generator)
    mistakes = {
        "that is He's bound": math.sqrt(6 / fan_in),
        "that is the standard deviation": math.sqrt(1 / (3 * fan_in)),
        "that bound gives the variance 1/fan_in": math.sqrt(3 / fan_in),
        "the square root is missing": 1 / fan_in,
    }
    _number(answer, 0, "bound").expect(fan_in, value=weight.abs().max(), relative=1e-4, mistakes=mistakes)


@DEFAULT.part(points=1)
def variance_of_a_real_layer(answer: Answer, generator: Generator) -> None:
    fan_in, weight = _default_layer(generator)
    mistakes = {
        "that is He's variance": 2 / fan_in,
        "that is the standard deviation": math.sqrt(1 / (3 * fan_in)),
        "a uniform number rarely comes near its bound: the square of the bound is more than the variance": 1 / fan_in,
        "the interval is twice as wide as the bound": 1 / (12 * fan_in),
    }
    _number(answer, 1, "variance").expect(fan_in, value=weight.square().mean(), relative=0.01, mistakes=mistakes)


@DEFAULT.part(points=1)
def factor_of_a_real_layer_before_a_relu(answer: Answer, generator: Generator) -> None:
    fan_in, weight = _default_layer(generator)
    mistakes = {
        "that is the factor without the ReLU": 1 / 3,
        "that would be the factor for the variance 1/fan_in": 1 / 2,
        "that is the factor for He's variance: the default loses signal": 1.0,
    }
    value = fan_in * weight.square().mean() / 2
    _number(answer, 2, "factor").expect(fan_in, value=value, relative=0.01, mistakes=mistakes)


XAVIER = Exercise("xavier-compromise", chapter="initialization", minutes=10)


def _expect_factors(answer: Answer, rule: str, generator: Generator) -> None:
    fan_in, fan_out = integer(2, 300, generator), integer(301, 600, generator)
    if integer(0, 1, generator):
        fan_in, fan_out = fan_out, fan_in
    variance = {"fan_in": 1 / fan_in, "fan_out": 1 / fan_out, "xavier": 2 / (fan_in + fan_out)}[rule]
    value = torch.tensor([fan_in, fan_out], dtype=torch.float64) * variance
    mistakes = {
        "forward is a sum over the inputs, backward over the outputs; you have them swapped": value.flip(0),
        "Xavier's rule keeps both passes only where fan_in = fan_out": torch.ones(2),
        "the factor of the second moment is asked for, not of the standard deviation": value.sqrt(),
        "that is the rule with variance 1/(fan_in + fan_out)": value / 2,
        "a layer multiplies the second moment by (number of terms) · variance": torch.full((2,), variance),
    }
    answer.expect(rule, fan_in, fan_out, value=value, mistakes=mistakes)


@XAVIER.part(points=1)
def rules_that_keep_one_pass(answer: Answer, generator: Generator) -> None:
    _expect_factors(answer, "fan_in", generator)
    _expect_factors(answer, "fan_out", generator)


@XAVIER.part(points=2)
def the_compromise_keeps_neither(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        _expect_factors(answer, "xavier", generator)


FANS = Exercise("transposed-fan", chapter="initialization", minutes=20)


def _expect_fans(answer: Answer, kind: str, generator: Generator, least: int = 1) -> None:
    """Count: with inputs and weights of one, an output is its fan-in, and an input's gradient its fan-out."""
    groups = 1 if kind in ("linear", "matmul") else integer(least, 4, generator)
    rows, columns = groups * integer(2, 9, generator), groups * integer(10, 16, generator)
    kernel = () if kind in ("linear", "matmul") else (integer(2, 3, generator), integer(4, 5, generator))
    size = [12] * len(kernel)
    shape, channels, apply = {
        "linear": ((rows, columns), columns, functional.linear),
        "matmul": ((rows, columns), rows, torch.matmul),
        "conv": ((rows, columns // groups, *kernel), columns, functional.conv2d),
        "conv_transpose": ((rows, columns // groups, *kernel), rows, functional.conv_transpose2d),
    }[kind]
    x, options = torch.ones(1, channels, *size, requires_grad=True), {"groups": groups} if kernel else {}
    y = apply(x, torch.ones(shape), **options)
    value = torch.stack([y.max(), torch.autograd.grad(y.sum(), x)[0].max()]).detach().double()
    area = math.prod(kernel)
    mistakes = {
        "an output sees only the inputs of its group: divide by the groups": torch.tensor(
            [value[0] * groups, value[1]]
        ),
        "that is PyTorch's reading of the shape, which takes the first entry for the outputs and knows no groups": (
            torch.tensor([shape[1], shape[0]]) * area
        ),
        "fan_in and fan_out are swapped": value.flip(0),
        "every channel is met once for each entry of the kernel": value / area,
        "an output of a grouped convolution sees only the inputs of its group, and an input only its outputs": (
            value * groups
        ),
        "the second entry of the shape is that of one group already": torch.tensor([value[0] / groups, value[1]]),
    }
    answer.expect(kind, list(shape), groups, value=value, mistakes=mistakes)


@FANS.part(points=1)
def matrices_on_either_side(answer: Answer, generator: Generator) -> None:
    for kind in ("linear", "matmul"):
        _expect_fans(answer, kind, generator)


@FANS.part(points=1)
def grouped_convolutions(answer: Answer, generator: Generator) -> None:
    # One of them has groups, at any seed.
    for least in (1, 1, 1, 2):
        _expect_fans(answer, "conv", generator, least)


@FANS.part(points=2)
def transposed_convolutions(answer: Answer, generator: Generator) -> None:
    for least in (1, 1, 1, 2):
        _expect_fans(answer, "conv_transpose", generator, least)


UNIFORM = Exercise("uniform-bound", chapter="initialization", minutes=5)


@UNIFORM.part(points=2)
def uniform_numbers_have_the_variance(answer: Answer, generator: Generator) -> None:
    for variance in (log_uniform(1e-4, 100, generator) for _ in range(3)):
        std = math.sqrt(variance)
        mistakes = {
            "a uniform number rarely comes near its bound: its standard deviation is less than the bound": std,
            "twice the standard deviation is a rule for Gaussians": 2 * std,
            "that is the width of the interval, twice the bound": math.sqrt(12) * std,
            "the square root is missing": 3 * variance,
            "the argument is the variance, not the standard deviation": math.sqrt(3) * variance,
            "that is He's factor, which is not about the shape of the distribution": math.sqrt(6) * std,
        }
        answer.expect(variance, value=math.sqrt(3 * variance), mistakes=mistakes)


Exercise("two-standard-deviations", chapter="initialization", minutes=10, manual_points=2)
