"""Performative prediction: the distribution answers to the model that was trained on it."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from stablenets._arguments import finite, non_negative, positive, positive_integer, within

Sample = TypeVar("Sample")


def repeated_retraining(
    retrain: Callable[[Sample], Tensor], distribution_map: Callable[[Tensor], Sample], theta0: Tensor, steps: int
) -> Tensor:
    """Deploy, let the world answer, retrain: θ_{t+1} = retrain(distribution_map(θ_t)).

    Args:
        retrain: finds the parameters that are best on a sample.
        distribution_map: draws the sample that deployed parameters bring about.
        theta0: first parameters, of any shape, which all later ones must have.
        steps: number of deployments.

    Returns:
        Trajectory ``(steps + 1, …)``, first ``theta0``. It stops at the first parameters that are not finite, and all
        later entries are NaN.

    >>> repeated_retraining(lambda mean: mean, lambda theta: 1 + theta / 2, torch.tensor(0.0), 4)
    tensor([0.0000, 1.0000, 1.5000, 1.7500, 1.8750])

    Source: Perdomo, Zrnic, Mendler-Dünner and Hardt (2020), repeated risk minimisation.
    """
    trajectory = torch.full((positive_integer("steps", steps) + 1, *theta0.shape), torch.nan, dtype=theta0.dtype)
    trajectory[0] = finite("theta0", theta0)
    for step in range(steps):
        theta = retrain(distribution_map(trajectory[step].clone()))
        if not isinstance(theta, Tensor) or theta.shape != theta0.shape:
            raise ValueError(f"retrain must return a tensor of the shape {tuple(theta0.shape)} of theta0, got {theta}")
        trajectory[step + 1] = theta.detach()
        if not torch.isfinite(theta).all():
            break
    return trajectory


def contraction_rate(sensitivity: float, smoothness: float, strong_convexity: float) -> float:
    """Return ε·β/γ: below 1, repeated retraining comes closer to its one stable point by this factor at each step.

    Args:
        sensitivity: ε ≥ 0; when θ moves by 1, the distribution moves by at most ε (Wasserstein distance).
        smoothness: β > 0, Lipschitz constant of the loss's gradient ∇_θ ℓ(z; θ), in z and in θ.
        strong_convexity: γ > 0 of the loss in θ; it cannot exceed β.

    >>> contraction_rate(0.5, smoothness=1.0, strong_convexity=1.0)
    0.5

    Source: Perdomo, Zrnic, Mendler-Dünner and Hardt (2020), theorem 3.5.
    """
    non_negative("sensitivity", sensitivity)
    if positive("strong_convexity", strong_convexity) > positive("smoothness", smoothness):
        raise ValueError(f"strong_convexity must be at most smoothness, {smoothness}, got {strong_convexity}")
    return sensitivity * smoothness / strong_convexity


class LocationMap(NamedTuple):
    """The world answers a deployed θ with z ~ N(mean + sensitivity·θ, 1); the model's loss is ℓ(z; θ) = θ²/2 − θ·z.

    The loss has β = γ = 1, and its best response to a distribution is θ = E z. So retraining maps θ to
    mean + sensitivity·θ and contracts if |sensitivity| < 1.

    >>> world = LocationMap(mean=1.0, sensitivity=0.4)
    >>> round(world.stable_point, 4), round(world.optimum, 4)
    (1.6667, 5.0)
    >>> world.risk(world.optimum) < world.risk(world.stable_point)
    True

    Source: our simplest case of Perdomo, Zrnic, Mendler-Dünner and Hardt (2020), section 2.
    """

    mean: float
    sensitivity: float

    def sample(self, theta: Tensor, n: int, *, generator: torch.Generator) -> Tensor:
        """Draw ``(n,)``, float64, from the distribution that ``theta``, one number, brings about."""
        noise = torch.randn(positive_integer("n", n), dtype=torch.float64, generator=generator)
        return self.mean + self.sensitivity * theta + noise

    def risk(self, theta: float) -> float:
        """Return the performative risk: the mean loss of θ under the distribution that θ itself brings about."""
        return theta**2 / 2 - theta * (self.mean + self.sensitivity * theta)

    @property
    def stable_point(self) -> float:
        """mean/(1 − sensitivity), which retraining leaves where it is; attracting only if |sensitivity| < 1."""
        if self.sensitivity == 1:
            raise ValueError("sensitivity must not be 1 for a stable point, got 1")
        return self.mean / (1 - self.sensitivity)

    @property
    def optimum(self) -> float:
        """mean/(1 − 2·sensitivity), which has the smallest performative risk; there is one if sensitivity < 1/2."""
        if self.sensitivity >= 0.5:
            raise ValueError(f"sensitivity must be below 0.5 for an optimum, got {self.sensitivity}")
        return self.mean / (1 - 2 * self.sensitivity)


def patrol_shares(
    crime: tuple[float, float],
    days: int,
    runs: int,
    *,
    reject: bool = False,
    generator: torch.Generator,
) -> Tensor:
    """Send a patrol each day to one of two districts, in proportion to the crime that was recorded there before.

    Crime is found only where the patrol is, so what is recorded is what was looked for: a Pólya urn. With equal crime
    the final share is random, uniform over [0, 1]; with unequal crime the worse district slowly gets all of it.

    Args:
        crime: probability, 0 to 1, that a patrol finds something in each district.
        days: length of each run.
        runs: independent histories.
        reject: record a find only with the probability that the patrol was elsewhere, which makes up for the
            attention that the district had.
        generator: draws patrols and finds.

    Returns:
        Share of the first district in the recorded crime after the last day, ``(runs,)``, float64; each district
        starts with one record.

    >>> patrol_shares((1.0, 0.0), 100, 1, generator=torch.Generator().manual_seed(0)) > 0.9
    tensor([True])

    Source: Ensign, Friedler, Neville, Scheidegger and Venkatasubramanian (2018).
    """
    chance = torch.tensor([within("crime", p, 0.0, 1.0) for p in crime], dtype=torch.float64)
    if len(chance) != 2:
        raise ValueError(f"crime must hold two probabilities, got {crime}")
    records = torch.ones(positive_integer("runs", runs), 2, dtype=torch.float64)
    for _ in range(positive_integer("days", days)):
        share = records[:, 0] / records.sum(1)
        draw = torch.rand(3, runs, dtype=torch.float64, generator=generator)
        place = (draw[0] >= share).long()
        found = draw[1] < chance[place]
        if reject:
            found &= draw[2] < torch.where(place == 0, 1 - share, share)
        records[torch.arange(runs), place] += found.double()
    return records[:, 0] / records.sum(1)
