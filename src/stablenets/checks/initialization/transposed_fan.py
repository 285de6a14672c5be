"""The fans of a layer, found by counting in a layer of ones."""

import math

import torch
from torch import Generator
from torch.nn import functional

from stablenets.checks.answer import Answer
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=20)


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


@exercise.part("matrices on either side", points=1)
def matrices(answer: Answer, generator: Generator) -> None:
    for kind in ("linear", "matmul"):
        _expect_fans(answer, kind, generator)


@exercise.part("grouped convolutions", points=1)
def grouped(answer: Answer, generator: Generator) -> None:
    # One of them has groups, at any seed.
    for least in (1, 1, 1, 2):
        _expect_fans(answer, "conv", generator, least)


@exercise.part("transposed convolutions", points=2)
def transposed(answer: Answer, generator: Generator) -> None:
    for least in (1, 1, 1, 2):
        _expect_fans(answer, "conv_transpose", generator, least)
