"""How far the learning rate may follow the batch, and the schedule that leads it there."""

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import integer, log_uniform, normal, uniform
from stablenets.checks.exercise import Exercise

SCALING = Exercise("linear-scaling", chapter="lars", minutes=25)
WARM_UP = Exercise("warm-up", chapter="lars", minutes=15)


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


@SCALING.part(points=1)
def limit_is_where_the_steepest_direction_overshoots(answer: Answer, generator: Generator) -> None:
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


@SCALING.part(points=1)
def loss_at_the_small_batch_is_right(answer: Answer, generator: Generator) -> None:
    _expect_loss(answer, generator, None)


@SCALING.part(points=2)
def loss_on_the_way_to_the_limit_is_right(answer: Answer, generator: Generator) -> None:
    for low, high in ((0.2, 0.5), (0.9, 0.97)):
        _expect_loss(answer, generator, uniform(low, high, generator))


def _rise(base: float, factor: float, warm_up: int, steps: range) -> Tensor:
    return torch.tensor([base * (1 + (factor - 1) * t / warm_up) for t in steps], dtype=torch.float64)


def _fall(peak: float, begin: int, total: int, steps: range, power: float = 2) -> Tensor:
    return torch.tensor([peak * (1 - (t - begin) / (total - begin)) ** power for t in steps], dtype=torch.float64)


def _schedule(generator: Generator) -> tuple[float, float, int, int]:
    warm_up = integer(3, 12, generator)
    return log_uniform(0.01, 0.2, generator), uniform(4, 32, generator), warm_up, warm_up + integer(8, 30, generator)


class Piece(Answer):
    """Some steps of the schedule."""

    def __init__(self, answer: Answer, steps: range, total: int) -> None:
        super().__init__(answer.function)
        self.steps, self.total = steps, total

    def __call__(self, *arguments: object) -> Tensor:
        rates = Answer(self.function).tensor(*arguments, shape=(self.total,))
        return rates[self.steps.start : self.steps.stop]


@WARM_UP.part(points=1)
def rate_rises_from_base_to_peak(answer: Answer, generator: Generator) -> None:
    base, factor, warm_up, total = _schedule(generator)
    steps, peak = range(warm_up), base * factor
    value = _rise(base, factor, warm_up, steps)
    share = torch.arange(warm_up, dtype=torch.float64) / warm_up
    Piece(answer, steps, total).expect(
        base, factor, warm_up, total,
        value=value,
        mistakes={
            "the rise starts at base, not at zero": peak * share,
            "the rise is already one step ahead at the start": _rise(base, factor, warm_up, range(1, warm_up + 1)),
            "the peak comes a step too early": _rise(base, factor, warm_up - 1, steps),
            "the rise goes to factor times base": base + (factor - base) * share,
            "the rate rises step by step, it does not wait and jump": base * torch.ones_like(share),
            "without a rise the large rate comes at once": peak * torch.ones_like(share),
            "the rise is linear, not geometric": base * factor**share,
            "the decay begins after the warm-up, and not on top of it": value * _fall(1.0, 0, total, steps),
        },
    )  # fmt: skip


@WARM_UP.part(points=1)
def rate_falls_with_the_square_of_the_steps_left(answer: Answer, generator: Generator) -> None:
    base, factor, warm_up, total = _schedule(generator)
    steps, peak = range(warm_up, total), base * factor
    Piece(answer, steps, total).expect(
        base, factor, warm_up, total,
        value=_fall(peak, warm_up, total, steps),
        mistakes={
            "the decay is quadratic, not linear": _fall(peak, warm_up, total, steps, 1),
            "the decay counts from the end of the warm-up, or else the rate jumps": _fall(peak, 0, total, steps),
            "the last step still has a rate above zero": _fall(peak, warm_up, total - 1, steps),
            "the decay starts from the peak, which is factor · base": _fall(base, warm_up, total, steps),
            "the square is of the share of steps left, not of the share gone":
                peak - _fall(peak, warm_up, total, range(total, warm_up, -1)),
            "the decay is missing": torch.full((len(steps),), peak, dtype=torch.float64),
            "the decay is a step too far": _fall(peak, warm_up, total, range(warm_up + 1, total + 1)),
        },
    )  # fmt: skip


@WARM_UP.part(points=1)
def schedule_without_warm_up_starts_at_the_peak(answer: Answer, generator: Generator) -> None:
    base, factor, _, total = _schedule(generator)
    rates = answer.tensor(base, factor, 0, total, shape=(total,))
    if abs(rates[0].item() - base * factor) > 1e-6 * base * factor:
        raise Mistake("without warm-up the first rate is the peak")
    if abs(rates[-1].item() - base * factor / total**2) > 1e-6 * base * factor:
        raise Mistake("without warm-up the decay takes all of the steps")
