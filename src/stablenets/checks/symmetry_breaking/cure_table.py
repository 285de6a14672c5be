"""What breaks the tie of equal units: each network is trained, and its units are counted."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, normal
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=30)


INPUTS, EXAMPLES, STEPS = 5, 24, 15


# What to think about, by the intervention.
HINTS = {
    "nothing": "the network is unchanged when units of a layer trade places, and so is its start",
    "input-noise": "all units of a layer receive the same noisy input",
    "label-noise": "all units receive the error of the same noisy label",
    "input-dropout": "an input that is dropped is missing for every unit",
    "first-dropout": "units of the first layer are dropped one by one, but every unit behind sees the same rest",
    "second-dropout": "a unit that is dropped gets no gradient, but every unit before has an equal part in all of them",
    "gradient-noise": "every weight gets a noise of its own",
    "adam": "Adam treats equal gradients alike",
    "weight-decay": "equal weights decay equally",
    "batch-of-one": "all units see the same example",
    "mixed-activations": "units of the same layer have the same activation",
    "identity-second-layer": "the identity plus a constant stays what it is when the units of both layers trade places",
    "opposite-outputs": "two units differ if their output weights do; before them, all have an equal part in either",
    "one-unit-nudged": "the units that were not nudged are still equal",
    "random-first-layer": "units of the second layer sum the same different inputs with equal weights",
    "random-second-layer": "its rows tell the second layer's units apart, its columns the first layer's",
    "random-outputs": "units of the first layer meet the output weights through equal columns",
    "shared-random-weights": "random weights that are the same for every unit tell no two units apart",
    "random-first-biases": "different biases do for the first layer what different weights do",
}


def _start(name: str, width: int, generator: Generator) -> list[Tensor]:
    """Constant weights and zero biases of two hidden layers and the output, and what the intervention changes."""

    def draw(*shape: int) -> Tensor:
        return 0.4 * normal(*shape, generator=generator)

    w1, w2, v = (torch.full(s, 0.3, dtype=torch.float64) for s in ((width, INPUTS), (width, width), (width,)))
    b1, b2 = torch.zeros(2, width, dtype=torch.float64)
    if name == "identity-second-layer":
        w2 = torch.eye(width, dtype=torch.float64) + 0.1
    elif name == "opposite-outputs":
        v[: width // 2] *= -1
    elif name == "one-unit-nudged":
        w1[0, 0] += 0.1
    elif name == "random-first-layer":
        w1 = draw(width, INPUTS)
    elif name == "random-second-layer":
        w2 = draw(width, width)
    elif name == "random-outputs":
        v = draw(width)
    elif name == "shared-random-weights":
        w1 = draw(INPUTS).repeat(width, 1)
    elif name == "random-first-biases":
        b1 = draw(width)
    return [p.clone().requires_grad_() for p in (w1, b1, w2, b2, v)]


def _layers(parameters: list[Tensor], x: Tensor, name: str, generator: Generator | None = None) -> list[Tensor]:
    """Both hidden layers and the output; a generator means training, with dropout where the intervention has it."""

    def drop(h: Tensor, where: str) -> Tensor:
        return h * 2 * (torch.rand(h.shape, generator=generator) < 0.5) if generator and name == where else h

    w1, b1, w2, b2, v = parameters
    first = torch.tanh(drop(x, "input-dropout") @ w1.T + b1)
    z = drop(first, "first-dropout") @ w2.T + b2
    second = torch.sigmoid(z) if name == "mixed-activations" else torch.tanh(z)
    return [first, second, drop(second, "second-dropout") @ v]


def _distinct(outputs: Tensor) -> int:
    """The number of different columns, up to rounding."""
    kinds: list[Tensor] = []
    for unit in outputs.T:
        # Rounding has grown to no more than 1e-12 in so few steps; what an intervention does is above 1e-6.
        if not any((unit - kind).abs().max() < 1e-9 for kind in kinds):
            kinds.append(unit)
    return len(kinds)


def _count(name: str, width: int, generator: Generator) -> Tensor:
    """Train with the intervention, and count the different units of either hidden layer."""
    x = normal(EXAMPLES, INPUTS, generator=generator)
    y = torch.sin(x.sum(1)) + x[:, 0]
    parameters = _start(name, width, generator)
    if name == "adam":
        optimizer = torch.optim.Adam(parameters, lr=0.01)
    else:
        optimizer = torch.optim.SGD(parameters, lr=0.05, weight_decay=0.1 * (name == "weight-decay"))
    for _ in range(STEPS):
        rows = torch.randperm(EXAMPLES, generator=generator)[: 1 if name == "batch-of-one" else EXAMPLES // 2]
        inputs = x[rows] + (name == "input-noise") * normal(len(rows), INPUTS, generator=generator)
        labels = y[rows] + (name == "label-noise") * normal(len(rows), generator=generator)
        optimizer.zero_grad()
        (_layers(parameters, inputs, name, generator)[-1] - labels).square().mean().backward()
        if name == "gradient-noise":
            for p in parameters:
                p.grad += 0.1 * normal(*p.shape, generator=generator)
        optimizer.step()
    with torch.no_grad():
        return torch.tensor([_distinct(h) for h in _layers(parameters, x, name)[:2]])


def _expect_counts(answer: Answer, names: list[str], generator: Generator) -> None:
    for name in names:
        width = 2 * integer(2, 4, generator)
        got = answer.tensor(name, width, shape=(2,))
        wrong = got != _count(name, width, generator)
        if wrong.any():
            call, hint = answer.call(name, width), HINTS[name]
            raise Mistake(f"{call}: not so in the {'first' if wrong[0] else 'second'} layer; {hint}")


@exercise.part("what noise does", points=2)
def noise(answer: Answer, generator: Generator) -> None:
    _expect_counts(answer, list(HINTS)[:7], generator)


@exercise.part("what optimizers and layers do", points=1)
def optimizers_and_layers(answer: Answer, generator: Generator) -> None:
    _expect_counts(answer, list(HINTS)[7:13], generator)


@exercise.part("what other weights do", points=2)
def other_weights(answer: Answer, generator: Generator) -> None:
    _expect_counts(answer, list(HINTS)[13:], generator)
