"""LARS mended for the tensors on which it never moves."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, log_uniform, normal, uniform
from stablenets.checks.exercise import Exercise
from stablenets.checks.lars._rule import lars_step

exercise = Exercise.of(__name__, minutes=20)


def _head(generator: Generator) -> tuple[list[Tensor], list[Tensor], float, float, float]:
    """A layer, its bias, a scale of normalization, and a head that starts at zero; gradients; and three settings."""
    n, m = integer(3, 6, generator), integer(3, 6, generator)
    weights = [normal(n, m, generator=generator), normal(n, generator=generator), torch.ones(n).double()]
    weights.append(torch.zeros(m, n).double())
    gradients = [log_uniform(0.1, 10, generator) * normal(*weight.shape, generator=generator) for weight in weights]
    return weights, gradients, uniform(0.2, 0.9, generator), uniform(0.01, 0.1, generator), uniform(0.1, 0.5, generator)


def _moves(answer: Answer, *arguments: object) -> list[Tensor]:
    weights = arguments[0]
    moved = answer.tensors(*arguments, shapes=[weight.shape for weight in weights])
    return [new - old for new, old in zip(moved, weights)]


def _same(move: Tensor, expected: Tensor) -> bool:
    return bool((move - expected).norm() <= 1e-5 * expected.norm() + 1e-12)


@exercise.part("head at zero moves", points=1)
def head(answer: Answer, generator: Generator) -> None:
    weights, gradients, lr, trust, decay = _head(generator)
    move, gradient = _moves(answer, weights, gradients, lr, trust, decay)[-1], gradients[-1]
    if not move.any():
        raise Mistake("the head stays at zero for ever: its λ is zero, and nothing in the denominator changes that")
    if not _same(move, -lr * gradient):
        if _same(move / move.norm(), -gradient / gradient.norm()):
            raise Mistake("the head moves, but a plain step with λ = 1 has another length")
        raise Mistake("the head must move against its gradient")


@exercise.part("vectors take plain steps", points=1)
def vectors(answer: Answer, generator: Generator) -> None:
    weights, gradients, lr, trust, decay = _head(generator)
    moves = _moves(answer, weights, gradients, lr, trust, decay)
    for move, w, g in list(zip(moves, weights, gradients))[1:3]:
        if _same(move, -lr * lars_step(w, g, decay, trust)):
            raise Mistake("biases and scales are adapted like matrices: leave vectors out")
        if _same(move, -lr * (g + decay * w)):
            raise Mistake("weight decay must leave vectors alone")
        if not _same(move, -lr * g):
            raise Mistake("a vector must take the plain step lr · gradient")


@exercise.part("matrices are adapted as before", points=1)
def matrices(answer: Answer, generator: Generator) -> None:
    weights, gradients, lr, trust, decay = _head(generator)
    weights[0], slope = log_uniform(1e-8, 1e-5, generator) * weights[0], gradients[0]
    weights[0][0, 0] = 0
    for scale in (1.0, 1e-6):
        gradients[0] = scale * slope
        move = _moves(answer, weights, gradients, lr, trust, decay)[0]
        if _same(move, -lr * (gradients[0] + decay * weights[0])):
            raise Mistake("small is not zero: a matrix of small weights is adapted")
        if (move + lr * lars_step(weights[0], gradients[0], decay, trust)).norm() > 1e-5 * move.norm():
            raise Mistake("a matrix of small weights must take the step of LARS, with nothing added to its norms")


@exercise.part("zero gradients do no harm", points=1)
def zero_gradients(answer: Answer, generator: Generator) -> None:
    weights, gradients, lr, trust, _ = _head(generator)
    gradients[0], gradients[-1] = torch.zeros_like(gradients[0]), torch.zeros_like(gradients[-1])
    for index in (0, -1):
        if _moves(answer, weights, gradients, lr, trust, 0.0)[index].any():
            raise Mistake("without gradient and without weight decay nothing may move")
    decay = uniform(0.1, 0.5, generator)
    if not _same(_moves(answer, weights, gradients, lr, trust, decay)[0], -lr * trust * weights[0]):
        raise Mistake("without gradient λ = η/β: weight decay alone shrinks a matrix by the fraction lr · η")
