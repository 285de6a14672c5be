"""Products of random matrices: how fast a vector grows."""

import math

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Mistake, nearly
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

LYAPUNOV = Exercise("lyapunov-exponent", chapter="gradient-stability", minutes=15)
OVERFLOW = Exercise("float-overflow", chapter="gradient-stability", minutes=10)
Exercise("typical-growth", chapter="gradient-stability", minutes=20, manual_points=3)


def _log_stretch(d: float) -> float:
    """E[ln‖Wv‖] for a unit vector v and d Gaussian rows of unit variance."""
    return 0.5 * (math.log(2) + torch.special.digamma(torch.tensor(d / 2, dtype=torch.float64)).item())


@LYAPUNOV.part(points=1)
def changes_with_sigma_as_it_must(answer: Answer, generator: Generator) -> None:
    d, sigma, factor = integer(2, 9, generator), uniform(0.3, 2, generator), uniform(2, 4, generator)
    difference = answer.number(d, factor * sigma) - answer.number(d, sigma)
    log = math.log(factor)
    named = {0.0: "sigma is ignored", 0.5 * log: "sigma is the standard deviation, not the variance"}
    named[2 * log] = "this is the growth of the squared norm"
    if not math.isclose(difference, log, rel_tol=1e-8):
        if math.isclose(difference, log, rel_tol=1e-5):
            raise Mistake(nearly("the growth with sigma"))
        reasons = [reason for wrong, reason in named.items() if abs(difference - wrong) < 1e-8]
        raise Mistake((reasons or ["a larger sigma must raise the exponent by the logarithm of the ratio"])[0])


@LYAPUNOV.part(points=3)
def is_the_mean_of_the_log_norm(answer: Answer, generator: Generator) -> None:
    for d in (integer(4, 9, generator), integer(10, 400, generator), 1, 2, 3):
        log = math.log(sigma := uniform(1.5, 3, generator))
        value = log + _log_stretch(d)
        answer.expect(
            d, sigma, value=value, relative=0, absolute=1e-9,
            mistakes={
                "the root of the mean square is larger than the typical growth: take the mean of the logarithm":
                    log + 0.5 * math.log(d),
                "the logarithm of the mean norm is larger than the mean of the logarithm":
                    log + 0.5 * math.log(2) + math.lgamma((d + 1) / 2) - math.lgamma(d / 2),
                "digamma takes half the degrees of freedom": log + _log_stretch(2 * d),
                "the ln 2 of the chi-squared distribution is missing": value - 0.5 * math.log(2),
                "this is the growth of the squared norm": 2 * value,
                "use natural logarithms": value / math.log(10),
                "this is the average of all exponents: a vector follows the largest one":
                    log + sum(map(_log_stretch, range(1, d + 1))) / d,
            },
        )  # fmt: skip


def _growing_chain(generator: Generator) -> tuple[int, float, float]:
    """A dimension, a sigma, and the exponent that they give: between a half and 1.2."""
    d, exponent = integer(2, 6, generator), uniform(0.5, 1.2, generator)
    return d, math.exp(exponent - _log_stretch(d)), exponent


@OVERFLOW.part(points=2)
def is_the_first_factor_beyond_the_largest_number(answer: Answer, generator: Generator) -> None:
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
                "sigma is ignored": math.floor(limit / _log_stretch(d)) + 1,
                "the exponent is that of the squared norm": math.floor(limit / exponent / 2) + 1,
            },
        )  # fmt: skip


@OVERFLOW.part(points=2)
def agrees_with_simulated_chains(answer: Answer, generator: Generator) -> None:
    d, sigma, exponent = _growing_chain(generator)
    limit = math.log(largest := torch.finfo(torch.float32).max)
    # The vector that meets a fresh Gaussian matrix is stretched by the norm of a Gaussian vector.
    stretches = sigma * normal(400, math.ceil(3 * limit / exponent), d, generator=generator).norm(dim=-1)
    mean = (stretches.log().cumsum(1) <= limit).sum(1).add(1.0).mean().item()
    answer.expect(d, sigma, largest, value=mean, relative=0.04)
