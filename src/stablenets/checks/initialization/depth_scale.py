"""How many layers it takes until two inputs can no longer be told apart."""

import math

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import gaussian, log_uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=30)


def _slopes(weight_variance: float, bias_variance: float) -> tuple[float, float, float]:
    """The slopes of the correlation map of tanh at its fixed point and at 1, and that of the variance map."""
    z, p = gaussian(limit=7.0, points=81)

    def variance(q: float) -> float:
        return weight_variance * (p @ torch.tanh(math.sqrt(q) * z).square()).item() + bias_variance

    q, c = 1.0, 0.5
    for _ in range(300):
        q = variance(q)
    first = torch.tanh(math.sqrt(q) * z)

    def correlation(c: float) -> float:
        second = torch.tanh(math.sqrt(q) * (c * z[:, None] + math.sqrt(max(1 - c * c, 0.0)) * z))
        return (weight_variance * (p * first @ second @ p).item() + bias_variance) / q

    for _ in range(300):
        c = correlation(c)
    slopes = (
        # One-sided, second order: beyond c = 1 there is nothing to measure.
        (3 * f(at) - 4 * f(at - h) + f(at - 2 * h)) / (2 * h)
        for f, at, h in ((correlation, c, 1e-3), (correlation, 1.0, 1e-3), (variance, q, 1e-3))
    )
    return tuple(slopes)


def _expect_depth_scale(answer: Answer, weight_variance: float, bias_variance: float) -> None:
    slope, chi, variance_slope = _slopes(weight_variance, bias_variance)
    value = -1 / math.log(slope)
    mistakes = {
        "χ is the slope at correlation 1, which in the chaotic phase is not the fixed point": -1 / math.log(chi),
        "χ is the slope at correlation 1: in the chaotic phase no inputs settle there": 1 / math.log(chi),
        "that is the depth scale of the variance": -1 / math.log(variance_slope),
        "the weight variance is missing in the slope": -1 / math.log(slope / weight_variance),
        "a factor e per depth scale: use the natural logarithm": -1 / math.log10(slope),
        "1 − slope stands for −ln(slope) only close to the critical line": 1 / (1 - slope),
        "six depth scales are the trainable depth": 6 * value,
    }
    scale = Value(answer, 0, "depth scale", shapes=[(), (1,)])
    scale.expect(weight_variance, bias_variance, [30], value=value, relative=5e-3, mistakes=mistakes)


@exercise.part("depth scale in the ordered phase", points=2)
def ordered_phase(answer: Answer, generator: Generator) -> None:
    _expect_depth_scale(answer, log_uniform(0.8, 1.4, generator), log_uniform(0.03, 0.1, generator))


@exercise.part("depth scale in the chaotic phase", points=3)
def chaotic_phase(answer: Answer, generator: Generator) -> None:
    _expect_depth_scale(answer, log_uniform(2.4, 4.0, generator), log_uniform(0.03, 0.1, generator))


@exercise.part("trainable depths", points=1)
def trainable(answer: Answer, generator: Generator) -> None:
    for weight_variance in (log_uniform(0.8, 1.4, generator), log_uniform(2.4, 4.0, generator)):
        limit = -6 / math.log(_slopes(weight_variance, 0.05)[0])
        depths = [max(1, round(limit * factor)) for factor in (0.2, 0.7, 0.9, 1.1, 1.6, 7.0)]
        verdicts = answer.tensors(weight_variance, 0.05, depths, shapes=[(), (6,)])[1]
        if not torch.equal(verdicts > 0.5, torch.tensor([depth <= limit for depth in depths])):
            call = answer.call(weight_variance, 0.05, depths)
            raise Mistake(f"{call}: a depth is trainable if and only if it is at most six depth scales")
