"""How many examples weighted ones are worth."""

import math

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=15)


@exercise.part("size of weighted examples", points=1)
def size(answer: Answer, generator: Generator) -> None:
    size = Value(answer, 0, "effective sample size")
    n = integer(20, 60, generator)
    logs = uniform(0.5, 1.5, generator) * normal(n, generator=generator)
    w = logs.exp()
    share = w / w.sum()
    value = (w.sum().square() / w.square().sum()).item()
    size.expect(
        logs, 1.0, 10.0,
        value=value,
        mistakes={
            "that is the number of examples: what do unequal weights cost?": n,
            "the arguments are logarithms of the weights":
                (logs.sum().square() / logs.square().sum()).item(),
            "that is the share of n": value / n,
            "that is n over the effective sample size": n / value,
            "that is the inverse": 1 / value,
            "take the square of the sum: the weights are not normalized": (w.sum() / w.square().sum()).item(),
            "that is the perplexity of the weights, which is larger": (-(share * share.log()).sum()).exp().item(),
            "that is what the largest weight alone allows": (1 / share.max()).item(),
            "that is the sum of the weights, which does not know how unequal they are": w.sum().item(),
            "divide the variance by n, not by n − 1": n / (1 + (w.var() / w.mean().square()).item()),
        },
    )  # fmt: skip
    equal = torch.full((n,), uniform(-1, 1, generator)).double()
    size.expect(equal, 1.0, 10.0, value=n)


@exercise.part("size does not know the scale of the weights", points=1)
def scale(answer: Answer, generator: Generator) -> None:
    size = Value(answer, 0, "effective sample size")
    logs = normal(integer(20, 60, generator), generator=generator)
    value = size(logs, 1.0, 10.0).item()
    for shift in (1.0, 2000.0, -2000.0):
        try:
            got = size(logs + shift, 1.0, 10.0).item()
        except Mistake as mistake:
            raise Mistake("weights beyond e^±709 leave the range: subtract the largest log weight first") from mistake
        if abs(got - value) > 1e-6 * abs(value):
            raise Mistake("a common factor of all weights must not matter, however large or small")
    spread = torch.cat([torch.tensor([1500.0]).double(), logs - 1500])
    try:
        alone = size(spread, 1.0, 10.0).item()
    except Mistake as mistake:
        raise Mistake("weights beyond e^±709 leave the range: subtract the largest log weight first") from mistake
    if abs(alone - 1) > 1e-6:
        raise Mistake("if one weight is larger than all others by far, one example is left")


@exercise.part("examples needed grow exponentially with the square of the distance", points=1)
def needed(answer: Answer, generator: Generator) -> None:
    logs, distance, wanted = normal(20, generator=generator), uniform(1.2, 2.5, generator), uniform(50, 200, generator)
    Value(answer, 1, "number of examples", ((), ())).expect(
        logs, distance, wanted,
        value=wanted * math.exp(distance**2),
        relative=1e-4,
        mistakes={
            "the second moment of the weights is exp(δ²), not exp(δ²/2)": wanted * math.exp(distance**2 / 2),
            "the square of the distance stands in the exponent": wanted * math.exp(distance),
            "it grows exponentially with the square of the distance": wanted * (1 + distance**2),
            "it is exp(δ²), not twice that exponent": wanted * math.exp(2 * distance**2),
            "that is the variance of the weights: their second moment counts": wanted * math.expm1(distance**2),
            "that is what is left of the examples, not how many are needed": wanted * math.exp(-(distance**2)),
            "that is for one example: multiply by those wanted": math.exp(distance**2),
            "the second number is asked of the two Gaussians, not of the weights given":
                wanted * len(logs) * (2 * logs).exp().sum().item() / logs.exp().sum().item() ** 2,
            "that is the mean number of examples in the overlap": wanted / math.erfc(distance / 8**0.5),
        },
    )  # fmt: skip
