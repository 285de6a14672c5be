"""The bound of uniform weights that have a given variance."""

import math

from torch import Generator

from stablenets.checks.answer import Answer
from stablenets.checks.draws import log_uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=5)


@exercise.part("uniform numbers have the variance", points=2)
def variance(answer: Answer, generator: Generator) -> None:
    for variance in (log_uniform(1e-4, 100, generator) for _ in range(3)):
        std = math.sqrt(variance)
        mistakes = {
            "a uniform number rarely comes near its bound: its standard deviation is less than the bound": std,
            "twice the standard deviation is a rule for Gaussians": 2 * std,
            "that is the width of the interval, twice the bound": math.sqrt(12) * std,
            "the square root is missing": 3 * variance,
            "the argument is the variance, not the standard deviation": math.sqrt(3) * variance,
            "that is He's factor, which is not about the shape of the distribution": math.sqrt(6) * std,
        }
        answer.expect(variance, value=math.sqrt(3 * variance), mistakes=mistakes)
