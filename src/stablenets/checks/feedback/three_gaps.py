"""What comes between a sample and the truth although nothing has shifted."""

import torch
from torch import Generator

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import integer, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


Call = tuple[list[int], float, float, float, float, list[float]]


def _call(generator: Generator, *, sizes: list[int] | None = None, alpha: float | None = None) -> Call:
    """Arguments of which each means something for one of the three numbers."""
    return (
        sizes or [integer(1, 12, generator) for _ in range(integer(5, 9, generator))],
        uniform(0.2, 0.8, generator),
        alpha or uniform(1.15, 1.9, generator),
        uniform(2, 10, generator),
        uniform(0.03, 0.3, generator),
        [uniform(0.5, 0.9, generator), uniform(0.1, 0.4, generator)],
    )


@exercise.part("records of one patient are not independent", points=1)
def dependence(answer: Answer, generator: Generator) -> None:
    unequal = _call(generator)
    for call in (unequal, _call(generator, sizes=[integer(2, 9, generator)] * 6), _call(generator, sizes=[1] * 8)):
        sizes, rho, *_ = call
        n, patients = sum(sizes), len(sizes)
        # The variance of the mean from the covariances of all records.
        covariance = torch.block_diag(*(torch.full((k, k), rho, dtype=torch.float64) for k in sizes)).fill_diagonal_(1)
        mean_size = n / patients
        named = {
            "records of one patient tell less than as many of different patients": n,
            "records of one patient are not copies: they tell more than a single one": patients,
            "a record has covariances with the k − 1 others": n / (1 + mean_size * rho),
            "a record has covariances with the k − 1 others of its patient": n**2 / sum(k + k * k * rho for k in sizes),
            "each pair of records enters the variance of a sum twice": n**2
            / sum(k + k * (k - 1) / 2 * rho for k in sizes),
            "the covariance is the correlation times the variance, not the square of the correlation": n**2
            / sum(k + k * (k - 1) * rho**2 for k in sizes),
            "that is for the mean that weighs the patients best, not for the plain one": sum(
                k / (1 + (k - 1) * rho) for k in sizes
            ),
            "patients with many records count more: add up the covariances of all pairs": n
            / (1 + (mean_size - 1) * rho),
            "the covariances within a patient alone count: records of different patients are independent": n
            / (1 + (n - 1) * rho),
            "that is the variance of the sum or the mean: as how many independent records is it?": covariance.sum(),
            "that is the inflation of the variance: as how many independent records is it?": covariance.sum() / n,
            "the weights of the patients are not equal in the mean of all records": patients**2
            / sum((1 + (k - 1) * rho) / k for k in sizes),
        }
        Value(answer, 0, "number of independent records", ((),) * 3).expect(
            *call, value=n**2 / covariance.sum().item(), mistakes=named if call is unequal else {}
        )


@exercise.part("heavy tails ask for more data", points=1)
def heavy_tails(answer: Answer, generator: Generator) -> None:
    for alpha in (None, uniform(2.3, 6, generator)):
        call = _, _, alpha, narrower, *_ = _call(generator, alpha=alpha)
        # Solve n^rate = 1/narrower on a logarithmic scale.
        rate = max(1 / alpha - 1, -0.5)
        log = torch.tensor(narrower, dtype=torch.float64).log().item()
        factors = {
            "the square holds for losses with a variance alone": 2.0,
            "above α = 2 there is a variance: the tail no longer sets the rate": alpha / (alpha - 1),
            "that is by how much the error narrows with as many times the data: solve for the data": -rate,
            "that is what as many times the data leave of the error: solve for the data": rate,
            "more data are needed, not fewer: mind the sign": 1 / rate,
            "the mean is the sum divided by n: its error goes as n to the power 1/α − 1, not 1/α": alpha,
            "the mean does better than a single loss: its error goes as n to the power 1/α − 1": 1.0,
        }
        Value(answer, 1, "factor of the data", ((),) * 3).expect(
            *call,
            value=torch.tensor(log / -rate, dtype=torch.float64).exp(),
            mistakes={text: torch.tensor(log * power, dtype=torch.float64).exp() for text, power in factors.items()},
        )


@exercise.part("missing labels hide the rate", points=1)
def selection(answer: Answer, generator: Generator) -> None:
    for _ in range(2):
        call = *_, seen, (kept_paid, kept_defaulted) = _call(generator)
        paid, defaulted = (1 - seen) / kept_paid, seen / kept_defaulted
        share = torch.linalg.solve(
            # Row 1: seen defaults are the share ``seen`` of all that is seen. Row 2: the rates sum to one.
            torch.tensor([[(1 - seen) * kept_defaulted, -seen * kept_paid], [1.0, 1.0]], dtype=torch.float64),
            torch.tensor([0.0, 1.0], dtype=torch.float64),
        )[0]
        Value(answer, 2, "default rate", ((),) * 3).expect(
            *call,
            value=share,
            mistakes={
                "that is the rate among the records that are left": seen,
                "that is what a true rate of this size would look like: go the other way": (
                    seen * kept_defaulted / (seen * kept_defaulted + (1 - seen) * kept_paid)
                ),
                "those who paid are lost too: divide by all who were there": defaulted,
                "kept holds first the share of those who paid": (
                    seen / kept_paid / (seen / kept_paid + (1 - seen) / kept_defaulted)
                ),
                "that is the odds, defaults for each who paid": defaulted / paid,
                "kept are the shares that are left, not those that are lost": (
                    seen / (1 - kept_defaulted) / (seen / (1 - kept_defaulted) + (1 - seen) / (1 - kept_paid))
                ),
            },
        )
