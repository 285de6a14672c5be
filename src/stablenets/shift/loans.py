"""Shoes and loans: who wears Oxfords repays, until the bank lends to those who wear Oxfords."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from stablenets._arguments import choice, finite, non_negative, positive, positive_integer
from stablenets.shift._logistic import fit_logistic

RIDGE = 1e-3  # Keeps the fit finite; a feature that no longer varies gets the weight 0.


class Applicants(NamedTuple):
    """``income (n,)`` and ``oxfords (n,)`` are what the bank sees, ``repays (n,)`` what it wants to know; float64."""

    income: Tensor
    oxfords: Tensor
    repays: Tensor


class Lender(NamedTuple):
    """Log odds of repayment = intercept + income_weight·income + shoe_weight·oxfords; above ``threshold``: a loan."""

    intercept: float
    income_weight: float
    shoe_weight: float
    threshold: float

    def score(self, applicants: Applicants) -> Tensor:
        """Log odds of repayment, ``(n,)``."""
        return self.intercept + self.income_weight * applicants.income + self.shoe_weight * applicants.oxfords


class Round(NamedTuple):
    """What one round did.

    The lender that was deployed; the share of applicants in Oxfords who came to it; how well its score and the shoes
    alone rank those who repay above those who do not (AUC); the share of applicants granted a loan, and the share of
    these who repay, NaN if there are none.
    """

    lender: Lender
    oxfords: float
    auc: float
    shoe_auc: float
    granted: float
    granted_repay: float


@dataclass(frozen=True)
class ShoesAndLoans:
    """A bank scores applicants by income and shoes; applicants change their shoes when that pays.

    Credit c ~ N(0, 1) decides: P(repays) = sigmoid(2c). The bank sees income c + 1.5·ε and shoes, Oxfords with
    probability sigmoid(2·habit·c): the shoes tell of credit and cause nothing. An applicant changes shoes when the
    gain in score is greater than what the change costs.

    Args:
        cost: of a change of shoes, in log odds, > 0.
        costs: "exponential": each applicant has a cost of its own, with this mean; "equal": all have the same.
        habit: how much shoes tell of credit, ≥ 0.

    >>> loop = ShoesAndLoans(cost=0.3)
    >>> first, second = loop.retrain(2, 20_000, generator=torch.Generator().manual_seed(0))
    >>> first.oxfords > 0.98, abs(first.shoe_auc - 0.5) < 0.03
    (True, True)

    Source: the story is that of Zhang, Lipton, Li and Smola, Dive into Deep Learning; the model of it is ours.
    """

    cost: float
    costs: str = "exponential"
    habit: float = 1.2

    def __post_init__(self):
        positive("cost", self.cost)
        choice("costs", self.costs, ("exponential", "equal"))
        non_negative("habit", self.habit)

    def applicants(self, n: int, *, generator: torch.Generator) -> Applicants:
        """Draw applicants who do not know of the score."""
        positive_integer("n", n)
        credit, noise = torch.randn(2, n, dtype=torch.float64, generator=generator)
        draw = torch.rand(2, n, dtype=torch.float64, generator=generator)
        oxfords, repays = draw[0] < torch.sigmoid(2 * self.habit * credit), draw[1] < torch.sigmoid(2 * credit)
        return Applicants(credit + 1.5 * noise, oxfords.double(), repays.double())

    def respond(self, applicants: Applicants, shoe_weight: float, *, generator: torch.Generator) -> Applicants:
        """Let each applicant wear what serves best under a score that gives Oxfords this weight, in log odds."""
        finite("shoe_weight", torch.tensor(shoe_weight))
        cost = torch.full_like(applicants.oxfords, self.cost)
        if self.costs == "exponential":
            cost *= -torch.rand(cost.shape, dtype=cost.dtype, generator=generator).log()
        rewarded = float(shoe_weight > 0)
        changed = torch.where(cost < abs(shoe_weight), rewarded, applicants.oxfords)
        return applicants._replace(oxfords=changed)

    def retrain(self, rounds: int, n: int, *, generator: torch.Generator) -> list[Round]:
        """Train on applicants who do not know of the score, then, in each round, deploy and retrain on who came.

        Args:
            rounds: number of deployments.
            n: applicants in each round.
            generator: draws them and their costs.

        Returns:
            One :class:`Round` for each deployment.
        """
        lender, history = fit_lender(self.applicants(n, generator=generator)), []
        for _ in range(positive_integer("rounds", rounds)):
            came = self.respond(self.applicants(n, generator=generator), lender.shoe_weight, generator=generator)
            score = lender.score(came)
            granted = score > lender.threshold
            history.append(
                Round(
                    lender,
                    came.oxfords.mean().item(),
                    auc(score, came.repays),
                    auc(came.oxfords, came.repays),
                    granted.double().mean().item(),
                    came.repays[granted].mean().item(),
                )
            )
            lender = fit_lender(came)
        return history


def fit_lender(applicants: Applicants, *, shoes: bool = True) -> Lender:
    """Fit repayment by logistic regression on income and, if ``shoes``, on shoes.

    The threshold is the median score: half of the applicants of the fit would get a loan.

    >>> generator = torch.Generator().manual_seed(0)
    >>> fit_lender(ShoesAndLoans(cost=1.0).applicants(10_000, generator=generator), shoes=False).shoe_weight
    0.0
    """
    features = torch.stack([applicants.income, applicants.oxfords * shoes], 1)
    repays = applicants.repays == 1
    if repays.all() or not repays.any():
        raise ValueError("applicants must hold both some who repay and some who do not, got only one kind")
    fit = fit_logistic(features[~repays], features[repays], l2=RIDGE)
    weights = fit.coefficients / fit.scale
    lender = Lender(fit.intercept - (fit.center @ weights).item(), *weights.tolist(), threshold=0.0)
    return lender._replace(threshold=lender.score(applicants).median().item())


def auc(scores: Tensor, positives: Tensor) -> float:
    """Return the probability that a positive example scores above a negative one, ties counting one half.

    Args:
        scores: ``(n,)``.
        positives: ``(n,)``, 1 for a positive example, 0 for a negative one; both must occur.

    >>> auc(torch.tensor([0.1, 0.4, 0.4, 0.8]), torch.tensor([0, 0, 1, 1]))
    0.875
    """
    if finite("scores", scores).shape != positives.shape or scores.ndim != 1:
        raise ValueError(f"scores and positives must be (n,), got {tuple(scores.shape)} and {tuple(positives.shape)}")
    chosen = positives == 1
    high, low = scores[chosen], scores[~chosen].sort().values
    if not len(high) or not len(low):
        raise ValueError("positives must hold both kinds, got only one")
    below, up_to = (torch.searchsorted(low, high, right=right).double() for right in (False, True))
    return ((below + up_to) / 2).mean().item() / len(low)
