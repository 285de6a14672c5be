"""The number of random factors after which a product leaves the range of a number format."""

import math

import torch
from torch import Generator

from stablenets.checks.answer import Answer
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability._stretch import log_stretch

exercise = Exercise.of(__name__, minutes=10)


def _growing_chain(generator: Generator) -> tuple[int, float, float]:
    """A dimension, a sigma, and the exponent that they give: between a half and 1.2."""
    d, exponent = integer(2, 6, generator), uniform(0.5, 1.2, generator)
    return d, math.exp(exponent - log_stretch(d)), exponent


@exercise.part("is the first factor beyond the largest number", points=2)
def first_factor(answer: Answer, generator: Generator) -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
        d, sigma, exponent = _growing_chain(generator)
        limit = math.log(largest := torch.finfo(dtype).max)
        mean_square = math.log(sigma) + 0.5 * math.log(d)
        answer.expect(
            d, sigma, largest, value=math.floor(limit / exponent) + 1, relative=0, absolute=1e-6,
            mistakes={
                "this is where the curve crosses the limit; count whole factors": limit / exponent,
                "grows like the root of the mean square, which a typical chain does not reach":
                    math.floor(limit / mean_square) + 1,
                "this is the last factor that still fits": math.floor(limit / exponent),
                "use natural logarithms for both": math.floor(limit / math.log(10) / exponent) + 1,
                "use natural logarithms for both, and the mean of the logarithm":
                    math.floor(limit / math.log(10) / mean_square) + 1,
                "sigma is ignored": math.floor(limit / log_stretch(d)) + 1,
                "the exponent is that of the squared norm": math.floor(limit / exponent / 2) + 1,
            },
        )  # fmt: skip


@exercise.part("agrees with simulated chains", points=2)
def simulated_chains(answer: Answer, generator: Generator) -> None:
    d, sigma, exponent = _growing_chain(generator)
    limit = math.log(largest := torch.finfo(torch.float32).max)
    # The vector that meets a fresh Gaussian matrix is stretched by the norm of a Gaussian vector.
    stretches = sigma * normal(400, math.ceil(3 * limit / exponent), d, generator=generator).norm(dim=-1)
    mean = (stretches.log().cumsum(1) <= limit).sum(1).add(1.0).mean().item()
    answer.expect(d, sigma, largest, value=mean, relative=0.04)
