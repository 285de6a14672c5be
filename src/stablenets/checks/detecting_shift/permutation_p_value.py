"""The p-value of a permutation test, held against all permutations of a small sample."""

import math
from itertools import combinations

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=20)


def _is(p: float, value: float) -> bool:
    """Whether p is that value, in float32 at least: a count that is a tensor, divided by an integer, is no more."""
    return math.isclose(p, value, rel_tol=1e-6)


@exercise.part("observed split counts as one of the permutations", points=1)
def observed_split(answer: Answer, generator: Generator) -> None:
    permutations, seed = integer(60, 150, generator), integer(0, 1000, generator)
    source = normal(20, generator=generator)
    for far in (30.0, -30.0):
        p = answer.number(source, normal(25, generator=generator) + far, permutations, seed)
        if p <= 0:
            raise Mistake("p = 0 claims more than any number of permutations can show: count the observed split too")
        if p < (1 - 1e-6) / (permutations + 1):
            raise Mistake(
                "p is below 1 / (permutations + 1): no count of splits, the observed one among them, gives it"
            )
        if _is(p, 1 / permutations):
            raise Mistake("the observed split is counted above but not below: there are permutations + 1 splits")
        if p > 0.99:
            raise Mistake("samples far apart give a p-value near one: which values are as extreme as the observed?")
        if not _is(p, 1 / (permutations + 1)):
            raise Mistake("no permutation of samples so far apart reaches the observed value: that leaves one split")
    same = torch.ones(12, dtype=torch.float64)
    p = answer.number(same, same[:7], permutations, seed)
    if not _is(p, 1):
        raise Mistake("in constant data every split is as extreme as the observed one: count ties, so that p = 1")


@exercise.part("p value is the share of all splits", points=1)
def all_splits(answer: Answer, generator: Generator) -> None:
    _two_values(answer, generator)
    n, m, permutations = 4, 7, 1500
    for gap in (0.0, 1.5, -1.5):
        source, target = normal(n, generator=generator) + 2, 1 + normal(m, generator=generator) + 1 + gap
        signed = _differences(torch.cat([source, target]), n)
        observed = signed[0].abs() - 1e-12
        exact = _share(signed.abs() >= observed)
        p = answer.number(source, target, permutations, integer(0, 1000, generator))
        sd = max(_sd(exact, permutations), 1 / permutations)
        if abs(p - exact) > 5.5 * sd + 1 / permutations:
            for text, wrong in _known(signed, signed[0].item()).items():
                if abs(p - wrong) <= 5.5 * _sd(wrong, permutations) + 2 / permutations:
                    raise Mistake(text)
            raise Mistake("p is far from the share of splits that are at least as extreme")


def _two_values(answer: Answer, generator: Generator) -> None:
    """One value in both rows of the source, another in the target's four: of all 15 splits one is as extreme."""
    low, permutations = integer(-5, 5, generator), 3000
    source, target = torch.full((2,), low).double(), torch.full((4,), low + integer(1, 5, generator)).double()
    seed, share = integer(0, 1000, generator), 1 / 15
    p = answer.number(source, target, permutations, seed)
    # Without a split that reaches it p is 0 or about 1 / permutations, by how the observed one is counted.
    if p < 1.5 / permutations:
        constant = torch.full((6,), low).double()
        if answer.number(constant[:2], constant[2:], permutations, seed) < 0.5:
            raise Mistake(
                "no split drawn reaches the observed value, as one in fifteen should: ties count, so ≥ and not >"
            )
        raise Mistake(
            "no split drawn reaches the observed value, as one in fifteen should: are rows of both samples "
            "drawn without replacement, n and m of them, and anew each time?"
        )
    if p < share - 5 * _sd(share, permutations):
        # The source low and the target high, or the other way around, with each row drawn from all six by itself.
        replaced = (1 / 3) ** 2 * (2 / 3) ** 4 + (2 / 3) ** 2 * (1 / 3) ** 4
        if abs(p - replaced) < 5 * _sd(replaced, permutations):
            raise Mistake("p is too small: splits of the pooled rows are drawn without replacement, no row twice")
        raise Mistake("p is too small: one split in fifteen is as extreme as the observed one")


def _sd(share: float, draws: int) -> float:
    """The standard deviation of a share that is estimated by so many draws."""
    return (share * (1 - share) / draws) ** 0.5


def _differences(pooled: Tensor, n: int) -> Tensor:
    """mean(source) − mean(target) for every way to choose the n rows of the source, the given one first."""
    chosen = torch.tensor(list(combinations(range(len(pooled)), n)))
    sums = pooled[chosen].sum(1)
    return sums / n - (pooled.sum() - sums) / (len(pooled) - n)


def _share(which: Tensor) -> float:
    return which.double().mean().item()


def _known(signed: Tensor, observed: float) -> dict[str, float]:
    size, slack = abs(observed), 1e-12
    return {
        "that counts the splits that are less extreme": _share(signed.abs() <= size + slack),
        "one-sided: a difference in the other direction is as extreme": _share(signed >= observed - slack),
        "one-sided: take the absolute difference": _share(signed <= observed + slack),
        "permuting the rows inside each sample changes nothing: pool them first": 1.0,
        "the count is already two-sided: do not double it": min(1.0, 2 * _share(signed.abs() >= size - slack)),
    }


@exercise.part("seed alone decides the draws", points=1)
def seed_alone(answer: Answer, generator: Generator) -> None:
    source, target = normal(9, generator=generator), normal(11, generator=generator)
    target += source.mean() - target.mean() + uniform(0.3, 0.6, generator)  # neither p near 0 nor near 1
    torch.rand(1)  # moves the global generator, on which the answer must not depend
    first = [answer.number(source, target, 199, seed) for seed in range(6)]
    torch.rand(1)
    if first != [answer.number(source, target, 199, seed) for seed in range(6)]:
        raise Mistake("the same seed gives different p-values: draw from torch.Generator().manual_seed(seed) alone")
    if len(set(first)) == 1:
        raise Mistake("six seeds give one and the same p-value: the draws do not depend on the seed")
