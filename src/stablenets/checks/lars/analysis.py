"""What LARS is invariant to, and the tensors for which it needs a rule."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, log_uniform, normal, uniform
from stablenets.checks.exercise import Exercise
from stablenets.checks.lars.algorithm import lars_step

INVARIANCE = Exercise("scale-invariance", chapter="lars", minutes=15)
HEAD = Exercise("zero-head", chapter="lars", minutes=20)


class Share(Answer):
    """The share of the longest step, or the scale of the gradient that it takes."""

    def __init__(self, answer: Answer, index: int) -> None:
        super().__init__(answer.function)
        self.index = index

    def __call__(self, *arguments: object) -> Tensor:
        return Answer(self.function).tensors(*arguments, shapes=((), ()))[self.index]


@INVARIANCE.part(points=1)
def length_without_weight_decay_is_the_same_for_every_gradient(answer: Answer, generator: Generator) -> None:
    for scale in (1.0, 1e-6, 1e6, 1e-30, 1e30):
        weight = normal(4, 5, generator=generator)
        gradient = (scale * normal(4, 5, generator=generator)).float()
        share = Share(answer, 0)
        value = share(weight.float(), gradient, 0.0, 0.5)
        if abs(value - 1) > 1e-5:
            if scale in (1e-30, 1e30):
                raise Mistake(f"a float32 gradient of size {scale:.0e} has a norm, but not one by squares in float32")
            raise Mistake("without weight decay the step has its full length for every gradient but zero")


def _case(generator: Generator) -> tuple[Tensor, Tensor, float, float, float, float]:
    weight, gradient = (
        log_uniform(0.5, 5, generator) * normal(4, 5, generator=generator),
        normal(4, 5, generator=generator),
    )
    decay, share = log_uniform(0.05, 1, generator), uniform(0.6, 0.95, generator)
    return weight, gradient, decay, share, decay * weight.norm().item(), gradient.norm().item()


@INVARIANCE.part(points=1)
def weight_decay_takes_its_share(answer: Answer, generator: Generator) -> None:
    weight, gradient, decay, share, pull, push = _case(generator)
    Share(answer, 0).expect(
        weight, gradient, decay, share,
        value=push / (push + pull),
        mistakes={
            "weight decay takes a part of the length, since it stands in the denominator of λ": 1.0,
            "that is the share of weight decay": pull / (push + pull),
            "the denominator is the sum of the norms": push / (gradient + decay * weight).norm().item(),
            "that is the ratio of the two": push / pull,
            "in the denominator weight decay is multiplied by the norm of the weights": push / (push + decay),
        },
    )  # fmt: skip


@INVARIANCE.part(points=1)
def smallest_scale_leaves_the_asked_share(answer: Answer, generator: Generator) -> None:
    weight, gradient, decay, share, pull, push = _case(generator)
    value = share / (1 - share) * pull / push
    Share(answer, 1).expect(
        weight, gradient, decay, share,
        value=value,
        mistakes={
            "the share is of the whole, not of the part of weight decay": share * pull / push,
            "as much as weight decay has gives half of the length": pull / push,
            "that gives weight decay the asked share": (1 - share) / share * pull / push,
            "multiply the gradient by it: you return its inverse": 1 / value,
            "return a factor, not a norm": value * push,
            "the share without its remainder: solve c‖g‖ = s(c‖g‖ + β‖w‖)": pull / push / (1 - share),
        },
    )  # fmt: skip
    if Share(answer, 1)(weight, gradient, 0.0, share) != 0:
        raise Mistake("without weight decay every scale above zero will do: the smallest is the limit 0")


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


@HEAD.part(points=1)
def head_at_zero_moves(answer: Answer, generator: Generator) -> None:
    weights, gradients, lr, trust, decay = _head(generator)
    move, gradient = _moves(answer, weights, gradients, lr, trust, decay)[-1], gradients[-1]
    if not move.any():
        raise Mistake("the head stays at zero for ever: its λ is zero, and nothing in the denominator changes that")
    if not _same(move, -lr * gradient):
        if _same(move / move.norm(), -gradient / gradient.norm()):
            raise Mistake("the head moves, but a plain step with λ = 1 has another length")
        raise Mistake("the head must move against its gradient")


@HEAD.part(points=1)
def vectors_take_plain_steps(answer: Answer, generator: Generator) -> None:
    weights, gradients, lr, trust, decay = _head(generator)
    moves = _moves(answer, weights, gradients, lr, trust, decay)
    for move, w, g in list(zip(moves, weights, gradients))[1:3]:
        if _same(move, -lr * lars_step(w, g, decay, trust)):
            raise Mistake("biases and scales are adapted like matrices: leave vectors out")
        if _same(move, -lr * (g + decay * w)):
            raise Mistake("weight decay must leave vectors alone")
        if not _same(move, -lr * g):
            raise Mistake("a vector must take the plain step lr · gradient")


@HEAD.part(points=1)
def matrices_are_adapted_as_before(answer: Answer, generator: Generator) -> None:
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


@HEAD.part(points=1)
def zero_gradients_do_no_harm(answer: Answer, generator: Generator) -> None:
    weights, gradients, lr, trust, _ = _head(generator)
    gradients[0], gradients[-1] = torch.zeros_like(gradients[0]), torch.zeros_like(gradients[-1])
    for index in (0, -1):
        if _moves(answer, weights, gradients, lr, trust, 0.0)[index].any():
            raise Mistake("without gradient and without weight decay nothing may move")
    decay = uniform(0.1, 0.5, generator)
    if not _same(_moves(answer, weights, gradients, lr, trust, decay)[0], -lr * trust * weights[0]):
        raise Mistake("without gradient λ = η/β: weight decay alone shrinks a matrix by the fraction lr · η")
