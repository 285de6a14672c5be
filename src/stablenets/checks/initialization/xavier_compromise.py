"""The factors by which a linear layer multiplies a signal and a gradient, for three rules."""

import torch
from torch import Generator

from stablenets.checks.answer import Answer
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=10)


def _expect_factors(answer: Answer, rule: str, generator: Generator) -> None:
    fan_in, fan_out = integer(2, 300, generator), integer(301, 600, generator)
    if integer(0, 1, generator):
        fan_in, fan_out = fan_out, fan_in
    variance = {"fan_in": 1 / fan_in, "fan_out": 1 / fan_out, "xavier": 2 / (fan_in + fan_out)}[rule]
    value = torch.tensor([fan_in, fan_out], dtype=torch.float64) * variance
    mistakes = {
        "forward is a sum over the inputs, backward over the outputs; you have them swapped": value.flip(0),
        "Xavier's rule keeps both passes only where fan_in = fan_out": torch.ones(2),
        "the factor of the second moment is asked for, not of the standard deviation": value.sqrt(),
        "that is the rule with variance 1/(fan_in + fan_out)": value / 2,
        "a layer multiplies the second moment by (number of terms) · variance": torch.full((2,), variance),
    }
    answer.expect(rule, fan_in, fan_out, value=value, mistakes=mistakes)


@exercise.part("rules that keep one pass", points=1)
def one_pass(answer: Answer, generator: Generator) -> None:
    _expect_factors(answer, "fan_in", generator)
    _expect_factors(answer, "fan_out", generator)


@exercise.part("the compromise keeps neither", points=2)
def compromise(answer: Answer, generator: Generator) -> None:
    for _ in range(3):
        _expect_factors(answer, "xavier", generator)
