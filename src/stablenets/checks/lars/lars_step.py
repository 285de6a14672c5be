"""LARS step by step."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, log_uniform, normal, uniform
from stablenets.checks.exercise import Exercise
from stablenets.checks.lars._rule import lars_step

exercise = Exercise.of(__name__, minutes=25)


Rule = Callable[[Tensor, Tensor, float, float], Tensor]


class Moved(Answer):
    """How far the answer moves the weights, its first argument: all tensors in one vector, each by its own scale."""

    def __init__(self, answer: Answer, scales: Sequence[float]) -> None:
        super().__init__(answer.function)
        self.scales = scales

    def __call__(self, *arguments: object) -> Tensor:
        weights = arguments[0]
        moved = self.tensors(*arguments, shapes=[weight.shape for weight in weights])
        return _joined([new - old for new, old in zip(moved, weights)], self.scales)

    def tensors(self, *arguments: object, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
        return Answer(self.function).tensors(*arguments, shapes=shapes)


def _joined(tensors: Sequence[Tensor], scales: Sequence[float]) -> Tensor:
    return torch.cat([(tensor / scale).flatten() for tensor, scale in zip(tensors, scales)])


def _layers(generator: Generator, gradient_scales: Sequence[float]) -> tuple[list[Tensor], list[Tensor]]:
    """Weights of three layers, and gradients of the given sizes."""
    shapes = [(integer(3, 6, generator), integer(3, 6, generator)) for _ in gradient_scales]
    weights = [log_uniform(0.3, 3, generator) * normal(*shape, generator=generator) for shape in shapes]
    return weights, [scale * normal(*s, generator=generator) for s, scale in zip(shapes, gradient_scales)]


@exercise.part("step follows the weights and not the gradient", points=1)
def trust_ratio(answer: Answer, generator: Generator) -> None:
    lr, trust = uniform(0.2, 0.9, generator), uniform(0.02, 0.1, generator)
    weights, gradients = _layers(generator, [1e-5, 1.0, 1e5])
    arguments = weights, [gradients], [lr], 0.0, 0.0, trust
    moved = answer.tensors(*arguments, shapes=[weight.shape for weight in weights])
    moves = [new - old for new, old in zip(moved, weights)]
    for move, weight, gradient in zip(moves, weights, gradients):
        if (move * gradient).sum() > 0:
            raise Mistake("the step goes up the gradient: subtract it")
        if abs(move.norm() / (lr * gradient.norm()) - 1) < 1e-3:
            raise Mistake("some layer takes a plain gradient step: there is no threshold, λ holds at every step")
        if abs(move.norm() / (lr * trust) - 1) < 1e-3 < abs(weight.norm() - 1):
            raise Mistake("the step forgets the norm of the weights: λ is a ratio of two norms")
    rates = [(move.norm() / gradient.norm()).item() for move, gradient in zip(moves, gradients)]
    if max(rates) < 1.01 * min(rates):
        raise Mistake("all layers get the same rate: take the norms of each layer by itself")
    expected = [-lr * trust * w.norm() * g / g.norm() for w, g in zip(weights, gradients)]
    scales = [tensor.norm().item() for tensor in expected]
    Moved(answer, scales).expect(*arguments, value=_joined(expected, scales), relative=1e-4)


# What is often done in place of λ(g + βw), by the words that name the mistake.
DECAYS: dict[str, Rule] = {
    "weight decay is missing in the denominator of λ": lambda w, g, b, eta: eta * w.norm() / g.norm() * (g + b * w),
    "weight decay stands in λ but not in the step": lambda w, g, b, eta: eta * w.norm() / (g.norm() + b * w.norm()) * g,
    "weight decay must be scaled by λ as well": lambda w, g, b, eta: (
        eta * w.norm() / (g.norm() + b * w.norm()) * g + b * w
    ),
    "the denominator is the sum of the norms, not the norm of the sum": lambda w, g, b, eta: (
        eta * w.norm() * (g + b * w) / (g + b * w).norm()
    ),
    "weight decay is ignored": lambda w, g, b, eta: eta * w.norm() * g / g.norm(),
    "weight decay enters the denominator with the norm of the weights": lambda w, g, b, eta: (
        eta * w.norm() / (g.norm() + b) * (g + b * w)
    ),
    "weight decay pulls towards zero: it is added to the gradient": lambda w, g, b, eta: (
        eta * w.norm() / (g.norm() + b * w.norm()) * (g - b * w)
    ),
}


@exercise.part("weight decay enters twice", points=2)
def weight_decay(answer: Answer, generator: Generator) -> None:
    lr, decay, trust = (uniform(*span, generator) for span in ((0.2, 0.9), (0.2, 0.8), (0.02, 0.1)))
    weights, gradients = _layers(generator, [0.3, 1.0, 3.0])
    steps = [lars_step(w, g, decay, trust) for w, g in zip(weights, gradients)]
    scales = [step.norm().item() for step in steps]
    Moved(answer, scales).expect(
        weights, [gradients], [lr], 0.0, decay, trust,
        value=-lr * _joined(steps, scales), relative=1e-4,
        mistakes={
            text: -lr * _joined([rule(w, g, decay, trust) for w, g in zip(weights, gradients)], scales)
            for text, rule in DECAYS.items()
        },
    )  # fmt: skip


def _run(weight: Tensor, gradients: Sequence[Tensor], rates: Sequence[float], update: Callable) -> Tensor:
    """The movement of one layer; ``update(buffer, w, g, rate)`` returns the new buffer and the step."""
    w, buffer = weight, torch.zeros_like(weight)
    for gradient, rate in zip(gradients, rates):
        buffer, step = update(buffer, w, gradient, rate)
        w = w - step
    return w - weight


@exercise.part("momentum remembers the steps", points=2)
def momentum(answer: Answer, generator: Generator) -> None:
    momentum, decay, trust = (uniform(*span, generator) for span in ((0.5, 0.9), (0.1, 0.4), (0.05, 0.1)))
    rates = [log_uniform(0.1, 1, generator) for _ in range(4)]
    weights, _ = _layers(generator, [1.0, 1.0, 1.0])
    gradients = [
        [log_uniform(0.2, 5, generator) * normal(*w.shape, generator=generator) for w in weights] for _ in rates
    ]

    def outside(buffer: Tensor, w: Tensor, g: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        buffer = momentum * buffer + g + decay * w
        return buffer, rate * trust * w.norm() / (g.norm() + decay * w.norm()) * buffer

    def rate_outside(buffer: Tensor, w: Tensor, g: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        buffer = momentum * buffer + lars_step(w, g, decay, trust)
        return buffer, rate * buffer

    def inside(weight_of_new: float = 1.0, ahead: bool = False, keep: float = momentum) -> Callable:
        def update(buffer: Tensor, w: Tensor, g: Tensor, rate: float) -> tuple[Tensor, Tensor]:
            new = weight_of_new * rate * lars_step(w, g, decay, trust)
            buffer = keep * buffer + new
            return buffer, keep * buffer + new if ahead else buffer

        return update

    def moved(update: Callable) -> list[Tensor]:
        return [_run(w, [g[i] for g in gradients], rates, update) for i, w in enumerate(weights)]

    right = moved(inside())
    scales = [move.norm().item() for move in right]
    named = {
        "the learning rate belongs inside the buffer, which holds steps and not gradients": rate_outside,
        "λ and the learning rate belong inside the buffer, which holds steps and not gradients": outside,
        "momentum is ignored": inside(keep=0.0),
        "the new step enters the buffer undamped": inside(weight_of_new=1 - momentum),
        "this is Nesterov's momentum": inside(ahead=True),
        "the buffer decays by momentum, not by one minus momentum": inside(keep=1 - momentum),
        "the buffer never decays": inside(keep=1.0),
    }
    Moved(answer, scales).expect(
        weights, gradients, rates, momentum, decay, trust,
        value=_joined(right, scales), relative=1e-4,
        mistakes={text: _joined(moved(update), scales) for text, update in named.items()},
    )  # fmt: skip
