"""Check of the exercise on a deep network that has to start."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise
from stablenets.data import digits
from stablenets.networks import mlp
from stablenets.training import accuracy, train

STUCK = Exercise("stuck-network", chapter="initialization", minutes=20)

DEPTH, EPOCHS = 30, 20
# Of so few images the factor of a layer is that of all, to half a percent; from weights to weights it varies by more.
IMAGES = 256


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
    _diagnose(answer.tensors(shapes, seed, shapes=shapes), digits().x_train[:IMAGES].double())


@STUCK.part(points=2)
def network_trains(answer: Answer, generator: Generator) -> None:
    shapes, seed = _shapes(generator), integer(0, 10**6, generator)
    data, weights = digits(), answer.tensors(shapes, seed, shapes=shapes)
    _diagnose(weights, data.x_train[:IMAGES].double())
    model = mlp(DEPTH, shapes[0][0])
    with torch.no_grad():
        for layer, weight in zip(filter(lambda module: isinstance(module, nn.Linear), model), weights):
            layer.weight.copy_(weight)
            layer.bias.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.003, momentum=0.9)
    batch = 64
    steps = len(data.x_train) // batch
    for _ in range(EPOCHS):
        train(model, data.x_train, data.y_train, optimizer, steps=steps, batch_size=batch, generator=generator)
        if accuracy(model, data.x_test, data.y_test) >= 0.6:
            return
    raise Mistake("the signal comes through, but the network does not reach an accuracy of 0.6")


@STUCK.part(points=1)
def weights_depend_on_the_seed_alone(answer: Answer, generator: Generator) -> None:
    shapes, seed = _shapes(generator), integer(0, 10**6, generator)
    first, again, other = (answer.tensors(shapes, s, shapes=shapes) for s in (seed, seed, seed + 1))
    if not all(map(torch.equal, first, again)):
        raise Mistake("two calls with the same seed give different weights: draw from a generator with that seed")
    if any(map(torch.equal, first, other)):
        raise Mistake("two seeds give the same weights: draw them at random, from a generator with the seed")
