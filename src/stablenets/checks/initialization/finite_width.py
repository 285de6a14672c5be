"""Mean and variance of the logarithm of a signal at finite width."""

import numpy as np
import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import integer, log_uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


def _layer_factors(slope: float, width: int, generator: Generator) -> Tensor:
    """Factors by which 100 000 layers of random weights multiply the second moment of their input."""
    rng = np.random.default_rng(integer(0, 2**31, generator))
    # A random number of pre-activations is positive; the sums of squares on either side of zero are chi-square.
    positive = rng.binomial(width, 0.5, 100_000)
    squares = rng.chisquare(positive) + slope**2 * rng.chisquare(width - positive)
    return torch.from_numpy(squares) * 2 / (1 + slope**2) / width


@exercise.part("variance of the logarithm", points=3)
def variance(answer: Answer, generator: Generator) -> None:
    for slope in (0.0, 1.0, log_uniform(0.4, 0.8, generator)):
        width, depth = integer(400, 600, generator), integer(20, 200, generator)
        value = depth * _layer_factors(slope, width, generator).log().var()
        mistakes = {
            "mean field keeps q exactly, but only at infinite width": 0.0,
            "that is the variance of one layer: the logarithms of the layers add up": value / depth,
            "a weight counts with its fourth moment, too: try it with slope 1, where q is a chi-square": depth / width,
            "half of the units of a ReLU layer are silent, which adds variance": 2 * depth / width,
            "that is right for ReLU only": 5 * depth / width,
            "the square of the mean is missing in the variance of φ²": value + depth / width,
            "that is the standard deviation": value.sqrt(),
        }
        variance = Value(answer, 1, "variance")
        variance.expect(slope, width, depth, value=value, relative=0.04, absolute=1e-9, mistakes=mistakes)


@exercise.part("mean of the logarithm", points=2)
def mean(answer: Answer, generator: Generator) -> None:
    for slope in (0.0, 1.0, log_uniform(0.4, 0.8, generator)):
        width, depth = integer(400, 600, generator), integer(20, 200, generator)
        factors = _layer_factors(slope, width, generator)
        # A factor has mean 1 exactly; subtracting its deviation leaves the same mean with far less noise.
        value = depth * (factors.log() - (factors - 1)).mean()
        mistakes = {
            "q keeps its mean, but the mean of ln q lies below ln of the mean": 0.0,
            "the logarithm is concave: its mean is negative": -value,
            "half of the second derivative counts": 2 * value,
            "that is the mean for one layer": value / depth,
        }
        Value(answer, 0, "mean").expect(slope, width, depth, value=value, relative=0.04, mistakes=mistakes)
