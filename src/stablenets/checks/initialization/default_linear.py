"""What PyTorch's default does to the weights of a linear layer, and a ReLU behind it to the signal."""

import math

import torch
from torch import Generator, Tensor, nn

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=10)


def _default_layer(generator: Generator) -> tuple[int, Tensor]:
    """A fan-in, and so many weights that their maximum and their mean square are as good as known."""
    fan_in = integer(6, 64, generator)
    with torch.random.fork_rng(devices=[]):  # PyTorch's default draws from the global generator
        torch.manual_seed(integer(0, 10**6, generator))
        return fan_in, nn.Linear(fan_in, 1_200_000 // fan_in).weight.detach().double()


def _number(answer: Answer, index: int, what: str) -> Value:
    return Value(answer, index, what, shapes=[(), (), ()])


@exercise.part("bound of a real layer", points=1)
def bound(answer: Answer, generator: Generator) -> None:
    fan_in, weight = _default_layer(generator)
    mistakes = {
        "that is He's bound": math.sqrt(6 / fan_in),
        "that is the standard deviation": math.sqrt(1 / (3 * fan_in)),
        "that bound gives the variance 1/fan_in": math.sqrt(3 / fan_in),
        "the square root is missing": 1 / fan_in,
    }
    _number(answer, 0, "bound").expect(fan_in, value=weight.abs().max(), relative=1e-4, mistakes=mistakes)


@exercise.part("variance of a real layer", points=1)
def variance(answer: Answer, generator: Generator) -> None:
    fan_in, weight = _default_layer(generator)
    mistakes = {
        "that is He's variance": 2 / fan_in,
        "that is the standard deviation": math.sqrt(1 / (3 * fan_in)),
        "a uniform number rarely comes near its bound: the square of the bound is more than the variance": 1 / fan_in,
        "the interval is twice as wide as the bound": 1 / (12 * fan_in),
    }
    _number(answer, 1, "variance").expect(fan_in, value=weight.square().mean(), relative=0.01, mistakes=mistakes)


@exercise.part("factor of a real layer before a relu", points=1)
def factor(answer: Answer, generator: Generator) -> None:
    fan_in, weight = _default_layer(generator)
    mistakes = {
        "that is the factor without the ReLU": 1 / 3,
        "that would be the factor for the variance 1/fan_in": 1 / 2,
        "that is the factor for He's variance: the default loses signal": 1.0,
    }
    value = fan_in * weight.square().mean() / 2
    _number(answer, 2, "factor").expect(fan_in, value=value, relative=0.01, mistakes=mistakes)
