"""Second moment and variance of a Gaussian signal after a ReLU."""

import math

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import gaussian, log_uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=15)


@exercise.part("second moment after the relu", points=2)
def second_moment(answer: Answer, generator: Generator) -> None:
    z, p = gaussian()
    for tau in (log_uniform(0.1, 10, generator) for _ in range(3)):
        mistakes = {
            "that is the second moment before the ReLU": tau**2,
            "tau is the standard deviation, not the variance": tau / 2,
            "that is the mean of relu(z), not of its square": tau / math.sqrt(2 * math.pi),
            "that is the variance: nothing must be subtracted here": (1 - 1 / math.pi) * tau**2 / 2,
        }
        value = p @ torch.relu(tau * z).square()
        Value(answer, 0, "second moment").expect(tau, value=value, relative=1e-5, mistakes=mistakes)


@exercise.part("variance after the relu", points=2)
def variance(answer: Answer, generator: Generator) -> None:
    z, p = gaussian()
    for tau in (log_uniform(0.1, 10, generator) for _ in range(3)):
        mistakes = {
            "that is the second moment: the mean of relu(z) is not zero": tau**2 / 2,
            "that is the variance of |z|": (1 - 2 / math.pi) * tau**2,
            "half the variance of |z| forgets that relu(z) is often zero": (0.5 - 1 / math.pi) * tau**2,
            "subtract the square of the mean, not the mean": tau**2 / 2 - tau / math.sqrt(2 * math.pi),
        }
        relu = torch.relu(tau * z)
        value = p @ (relu - p @ relu).square()
        Value(answer, 1, "variance").expect(tau, value=value, relative=1e-5, mistakes=mistakes)
