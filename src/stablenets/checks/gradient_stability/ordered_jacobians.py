"""The Jacobian of a network, one factor a layer and in the right order."""

import math
from itertools import pairwise

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer
from stablenets.checks.draws import integer, normal
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability._chain import chain

exercise = Exercise.of(__name__, minutes=15)


def _factors(weights: list[Tensor], x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The Jacobians of tanh layers, in order of application, and the outputs of the layers."""
    outputs = [x]
    for weight in weights:
        outputs.append(torch.tanh(weight @ outputs[-1]))
    return [(1 - h**2)[:, None] * weight for weight, h in zip(weights, outputs[1:])], outputs[1:]


def _tanh_net(widths: list[int], generator: Generator) -> tuple[list[Tensor], Tensor, Tensor]:
    """Weights, an input, and the Jacobian by automatic differentiation."""
    weights = [normal(m, n, generator=generator) * 1.5 / math.sqrt(n) for n, m in pairwise(widths)]
    x = normal(widths[0], generator=generator)
    return weights, x, torch.func.jacrev(lambda point: _factors(weights, point)[1][-1])(x)


@exercise.part("agrees with automatic differentiation", points=2)
def automatic_differentiation(answer: Answer, generator: Generator) -> None:
    weights, x, jacobian = _tanh_net([4] * integer(4, 6, generator), generator)
    factors, outputs = _factors(weights, x)
    slopes = [1 - h**2 for h in outputs]
    answer.expect(
        weights, x, value=jacobian, relative=1e-9,
        mistakes={
            "the factors are in reverse order: the layer applied last stands on the left": chain(factors[::-1]),
            "this is the entrywise product; Jacobians multiply as matrices": torch.stack(factors).prod(0),
            "the factors are partial derivatives alone, not derivatives times activations":
                chain([h[:, None] * factor for h, factor in zip(outputs, factors)]),
            "the slopes of tanh are missing": chain(weights),
            "the slopes belong to the rows of the weights, the outputs of the layer":
                chain([weight * slope for weight, slope in zip(weights, slopes)]),
            "the slope is taken at the output of tanh instead of its input":
                chain([(1 - h.tanh() ** 2)[:, None] * weight for h, weight in zip(outputs, weights)]),
            "each slope belongs to its own layer, not to the one before":
                chain([(1 - h**2)[:, None] * weight for h, weight in zip([x.tanh(), *outputs], weights)]),
            "this is the transposed Jacobian: outputs are rows, inputs are columns": jacobian.T,
        },
    )  # fmt: skip


@exercise.part("works for layers of different widths", points=1)
def different_widths(answer: Answer, generator: Generator) -> None:
    weights, x, jacobian = _tanh_net(torch.randperm(5, generator=generator).add(2).tolist(), generator)
    answer.expect(weights, x, value=jacobian, relative=1e-9)
