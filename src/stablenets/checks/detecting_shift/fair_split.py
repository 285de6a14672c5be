"""A classifier that tells source from target, scored on rows that it has not seen."""

import math
from statistics import NormalDist

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.draws import integer, normal
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


# A p-value computed in float32 is as good.
CLOSE = 1e-6


def _auc(answer: Answer, source: Tensor, target: Tensor, seed: int) -> float:
    auc = Value(answer, 0, "AUC").number(source, target, seed)
    if not 0 <= auc <= 1:
        raise Mistake(f"an AUC is a share of pairs, between 0 and 1, got {auc:.4g}")
    return auc


@exercise.part("rows that fitted the classifier are not scored", points=1)
def held_out_rows(answer: Answer, generator: Generator) -> None:
    aucs = [
        _auc(answer, normal(60, 30, generator=generator), normal(40, 30, generator=generator), seed)
        for seed in range(8)
    ]
    mean = sum(aucs) / len(aucs)
    if mean > 0.65:
        raise Mistake(f"the mean AUC is {mean:.2f} without any shift: the rows scored are those it was fitted to")
    # Without shift, but the source's rows ascend and the target's descend: fixed halves are the reverse of each other.
    sides = (normal(n, 3, generator=generator) for n in (60, 40))
    source, target = (x[x[:, 0].argsort(descending=down)] for x, down in zip(sides, (False, True)))
    if _auc(answer, source, target, 0) < 0.1:
        raise Mistake("the halves are not drawn at random: rows may come in an order, so shuffle each sample first")


@exercise.part("area is that of scores", points=1)
def area(answer: Answer, generator: Generator) -> None:
    """Shifted by δ, the best scores have the AUC Φ(δ/√2), and hard labels only Φ(δ/2)."""
    n, m, delta, aucs = 300, 200, 2.0, []
    for seed in range(4):
        source, target = normal(n, 3, generator=generator), normal(m, 3, generator=generator)
        target[:, integer(0, 2, generator)] += delta
        aucs.append(_auc(answer, source, target, seed))
    mean, normal_law = sum(aucs) / len(aucs), NormalDist()
    if mean < 0.5:
        raise Mistake("the AUC is below one half under a plain shift: target rows must get the higher scores")
    # Twice the AUC of hard labels is a share of n/2 rows plus a share of m/2 rows, so a multiple of 1/steps.
    steps = math.lcm(n // 2, m // 2)
    if all(abs(2 * steps * auc - round(2 * steps * auc)) < 1e-6 for auc in aucs):
        raise Mistake("this is the AUC of hard labels, a mean of two accuracies: rank the rows by their scores")
    if all(abs(auc * (n + m) / 2 - round(auc * (n + m) / 2)) < 1e-6 for auc in aucs):
        raise Mistake("this is an accuracy: the AUC is the share of pairs in which the target row has the higher score")
    best, hard = normal_law.cdf(delta / 2**0.5), normal_law.cdf(delta / 2)
    if mean < (best + hard) / 2:
        raise Mistake(
            f"the mean AUC is {mean:.2f}, which is too low for this shift: use scores and a better classifier"
        )
    if mean > best + 0.04:
        raise Mistake("the AUC is higher than that of the best classifier: score held-out rows only")
    _ties(answer, generator)


def _ties(answer: Answer, generator: Generator) -> None:
    """One feature, 1 in a fifth of the source and in four fifths of the target: AUC 0.8, and 0.64 without ties."""
    aucs = []
    for seed in range(4):
        source, target = (
            (torch.rand(n, 1, dtype=torch.float64, generator=generator) < share).double()
            for n, share in ((300, 0.2), (200, 0.8))
        )
        aucs.append(_auc(answer, source, target, seed))
    if abs(sum(aucs) / len(aucs) - 0.8) > 0.08:
        raise Mistake("rows with equal scores are counted wrongly: a tied pair counts one half")


def _upper_tail(z: float) -> float:
    """1 − Φ(z), with its digits where it is tiny."""
    return math.erfc(z / 2**0.5) / 2


@exercise.part("p value is the upper tail of the rank statistic", points=1)
def p_value(answer: Answer, generator: Generator) -> None:
    n, m = 2 * integer(15, 25, generator), 2 * integer(26, 40, generator)
    sides = set()
    for seed in range(30):
        # One clear shift, then none, until an AUC below one half has come.
        source, target = (
            normal(n, 3, generator=generator),
            normal(m, 3, generator=generator) + (0.5 if seed == 0 else 0),
        )
        auc = _auc(answer, source, target, seed)
        p = Value(answer, 1, "p-value").number(source, target, seed)
        if _auc(answer, source, target, seed) != auc:
            raise Mistake("the same arguments give different numbers: let the seed alone decide the split")
        above, held_out = auc - 0.5, (n / 2 + m / 2 + 1) / (3 * n * m)
        right = _upper_tail(above / held_out**0.5)
        known = {
            "one-sided: do not double it": 2 * min(right, 1 - right),
            "an AUC below one half is no sign of shift": min(right, 1 - right),
            "the p-value is the upper tail: small for a large AUC": 1 - right,
            "only held-out rows count, half of all rows": _upper_tail(above / ((n + m + 1) / (12 * n * m)) ** 0.5),
            "the variance has m + n + 1 in the numerator": _upper_tail(above / ((n + m) / (6 * n * m)) ** 0.5),
            "the variance has 12 n′m′ in the denominator": _upper_tail(above / (12 * held_out) ** 0.5),
            "that has a correction for continuity, which the formula has not": _upper_tail(
                (above - 2 / (n * m)) / held_out**0.5
            ),
            "divide by the standard deviation, not by the variance": _upper_tail(above / held_out),
        }
        for text, wrong in known.items():
            if abs(p - right) > CLOSE and math.isclose(p, wrong, rel_tol=1e-6):
                raise Mistake(text)
        if abs(p - right) > CLOSE:
            raise Mistake("the p-value does not follow from the AUC by the formula of the question")
        sides.add(above > 0)
        if len(sides) == 2:
            break
