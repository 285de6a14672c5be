"""How far the learning rate may follow the batch."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


def _quadratic(generator: Generator) -> tuple[Tensor, Tensor, float, int]:
    """Curvatures, variances of one example's gradient, a learning rate far below the limit, and a batch size."""
    count = integer(3, 6, generator)
    curvatures = 2 * normal(count, generator=generator).exp()
    variances = normal(count, generator=generator).exp()
    lr = uniform(0.02, 0.1, generator) / curvatures.max().item()
    return curvatures, variances, lr, integer(2, 64, generator)


def _losses(curvatures: Tensor, variances: Tensor, lr: float, batch: float) -> Tensor:
    """The mean loss in each direction, where E[w²] = (1 − lr·h)² E[w²] + lr² s²/B comes to rest, by doubling steps."""
    keep, noise = (1 - lr * curvatures).square(), lr**2 * variances / batch
    for _ in range(40):
        keep, noise = keep.square(), noise * (1 + keep)
    return curvatures * noise / 2


@exercise.part("limit is where the steepest direction overshoots", points=1)
def limit(answer: Answer, generator: Generator) -> None:
    curvatures, variances, lr, batch = _quadratic(generator)
    largest, smallest, mean = (f(curvatures).item() for f in (torch.max, torch.min, torch.mean))
    Value(answer, 0, "limit").expect(
        curvatures, variances, lr, batch, 2.0,
        value=2 / (lr * largest),
        mistakes={
            "that is the largest learning rate: ask how many times lr it is": 2 / largest,
            "a step may overshoot, as long as it lands nearer": 1 / (lr * largest),
            "the flattest direction is not the first to diverge": 2 / (lr * smallest),
            "directions do not average: one that diverges is enough": 2 / (lr * mean),
            "the limit is a factor, not a batch size": 2 * batch / (lr * largest),
            "the noise does not enter: noise does not make a linear recursion unstable": 2 / (lr * largest) / batch,
            "each direction sees its own curvature, not their sum": 2 / (lr * curvatures.sum().item()),
        },
    )  # fmt: skip


def _expect_loss(answer: Answer, generator: Generator, share: float | None) -> None:
    curvatures, variances, lr, batch = _quadratic(generator)
    limit = 2 / (lr * curvatures.max().item())
    factor = 1.0 if share is None else share * limit

    def loss(rate: float = factor * lr, size: float = factor * batch) -> float:
        return _losses(curvatures, variances, rate, size).sum().item()

    right = loss()
    Value(answer, 1, "loss").expect(
        curvatures, variances, lr, batch, factor,
        value=right,
        mistakes={
            "the loss has the factor ½ of a quadratic": 2 * right,
            "the noise of the batch mean is missing": loss(size=1.0),
            "the variance of a mean falls as 1/B, not as 1/B²": loss(size=(factor * batch) ** 2),
            "that is for an infinitesimal learning rate, where linear scaling is exact":
                (lr * variances / (4 * batch)).sum().item(),
            "the learning rate must be multiplied as well": loss(rate=lr),
            "the batch must be multiplied as well": loss(size=batch),
            "that is the square-root rule": loss(rate=factor**0.5 * lr) if share else right,
            "that is half of E[w²]: the curvature weighs it":
                (_losses(curvatures, variances, factor * lr, factor * batch) / curvatures).sum().item(),
            "add the directions, do not average them": right / len(curvatures),
            "that is the loss after a single step from the minimum":
                ((factor * lr) ** 2 * (curvatures * variances).sum() / (2 * factor * batch)).item(),
        },
    )  # fmt: skip


@exercise.part("loss at the small batch is right", points=1)
def small_batch(answer: Answer, generator: Generator) -> None:
    _expect_loss(answer, generator, None)


@exercise.part("loss on the way to the limit is right", points=2)
def large_batch(answer: Answer, generator: Generator) -> None:
    for low, high in ((0.2, 0.5), (0.9, 0.97)):
        _expect_loss(answer, generator, uniform(low, high, generator))
