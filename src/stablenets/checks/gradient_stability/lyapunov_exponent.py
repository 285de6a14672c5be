"""How fast a vector grows that is multiplied by random matrices."""

import math

from torch import Generator

from stablenets.checks.answer import Answer, Mistake, nearly
from stablenets.checks.draws import integer, uniform
from stablenets.checks.exercise import Exercise
from stablenets.checks.gradient_stability._stretch import log_stretch

exercise = Exercise.of(__name__, minutes=15)


@exercise.part("changes with sigma as it must", points=1)
def sigma(answer: Answer, generator: Generator) -> None:
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


@exercise.part("is the mean of the log norm", points=3)
def mean_log_norm(answer: Answer, generator: Generator) -> None:
    for d in (integer(4, 9, generator), integer(10, 400, generator), 1, 2, 3):
        log = math.log(sigma := uniform(1.5, 3, generator))
        value = log + log_stretch(d)
        answer.expect(
            d, sigma, value=value, relative=0, absolute=1e-9,
            mistakes={
                "the root of the mean square is larger than the typical growth: take the mean of the logarithm":
                    log + 0.5 * math.log(d),
                "the logarithm of the mean norm is larger than the mean of the logarithm":
                    log + 0.5 * math.log(2) + math.lgamma((d + 1) / 2) - math.lgamma(d / 2),
                "digamma takes half the degrees of freedom": log + log_stretch(2 * d),
                "the ln 2 of the chi-squared distribution is missing": value - 0.5 * math.log(2),
                "this is the growth of the squared norm": 2 * value,
                "use natural logarithms": value / math.log(10),
                "this is the average of all exponents: a vector follows the largest one":
                    log + sum(map(log_stretch, range(1, d + 1))) / d,
            },
        )  # fmt: skip
