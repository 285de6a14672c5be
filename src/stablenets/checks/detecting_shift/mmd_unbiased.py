"""The unbiased estimate of MMD², held against sums over pairs."""

import math
from itertools import product

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=20)


def _kernel(a: Tensor, b: Tensor, bandwidth: float) -> Tensor:
    """exp(−‖a_i − b_j‖²/(2σ²)), from differences: exact also far from the origin."""
    return (-(a[:, None] - b[None]).square().sum(2) / (2 * bandwidth**2)).exp()


def _parts(source: Tensor, target: Tensor, bandwidth: float) -> tuple[float, float, float]:
    """The sums of the kernel over ordered pairs of different rows, within and across the samples."""
    within = [_kernel(x, x, bandwidth).sum().item() - len(x) for x in (source, target)]
    return *within, _kernel(source, target, bandwidth).sum().item()


def unbiased(source: Tensor, target: Tensor, bandwidth: float) -> float:
    n, m = len(source), len(target)
    xx, yy, xy = _parts(source, target, bandwidth)
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)


def _mistakes(source: Tensor, target: Tensor, bandwidth: float) -> dict[str, float]:
    n, m = len(source), len(target)
    xx, yy, xy = _parts(source, target, bandwidth)
    value, biased = unbiased(source, target, bandwidth), (xx + n) / n**2 + (yy + m) / m**2 - 2 * xy / (n * m)
    diagonal = _kernel(source, target, bandwidth).diagonal().sum().item()
    own = xx / (n * (n - 1)) + yy / (m * (m - 1))
    pooled = torch.cat([source, target])

    def linear(a: Tensor, b: Tensor) -> Tensor:
        return (-(a[:, None] - b).square().sum(2).sqrt() / (2 * bandwidth**2)).exp()

    unsquared = (linear(source, source).sum().item() - n) / (n * (n - 1))
    unsquared += (linear(target, target).sum().item() - m) / (m * (m - 1)) - 2 * linear(source, target).mean().item()
    return {
        "of the pairs of a row with itself only the source's are left out": xx / (n * (n - 1)) + (yy + m) / m**2
        - 2 * xy / (n * m),
        "of the pairs of a row with itself only the target's are left out": (xx + n) / n**2 + yy / (m * (m - 1))
        - 2 * xy / (n * m),
        "each pair is counted once above the line but twice below: n(n − 1) counts (i, j) and (j, i)": own / 2
        - 2 * xy / (n * m),
        "each row has n − 1 partners, so there are n(n − 1) pairs and not (n − 1)²": xx / (n - 1) ** 2
        + yy / (m - 1) ** 2 - 2 * xy / (n * m),
        "the distance in the kernel must be squared": unsquared,
        "each sample is centered by itself, which removes the shift: subtract one vector from all rows": unbiased(
            source - source.mean(0), target - target.mean(0), bandwidth
        ),
        "the distances are those of standardized features: take the rows as they are": unbiased(
            source / pooled.std(0), target / pooled.std(0), bandwidth
        ),
        "the pairs of a row with itself are counted: that is the biased estimate": biased,
        "the pairs of a row with itself are in the sums but not in the counts": own + 1 / (n - 1) + 1 / (m - 1)
        - 2 * xy / (n * m),
        "without the pairs of a row with itself there are n(n − 1) pairs": xx / n**2 + yy / m**2 - 2 * xy / (n * m),
        "the mixed term enters twice": own - xy / (n * m),
        "the mixed term is subtracted": own + 2 * xy / (n * m),
        "row i of the source and row i of the target are different rows: no pair drops out of the mixed term": own
        - 2 * (xy - diagonal) / (n * m - min(n, m)),
        "this is the root of the estimate, which the question does not ask for": math.copysign(
            math.sqrt(abs(value)), value
        ),
        "the kernel has 2σ² in the denominator": unbiased(source, target, bandwidth / 2**0.5),
        "the bandwidth must be squared": unbiased(source, target, bandwidth**0.5),
        "the kernel multiplies where it divides by σ²": unbiased(source, target, 0.5 / bandwidth),
        "the sign is turned around: MMD² is positive when the samples differ": -value,
    }  # fmt: skip


@exercise.part("agrees with the sums over pairs", points=2)
def sums_over_pairs(answer: Answer, generator: Generator) -> None:
    for shift in (0.0, 1.5):
        source, target, bandwidth = _samples(generator, shift)
        answer.expect(
            source, target, bandwidth,
            value=unbiased(source, target, bandwidth), relative=0, absolute=1e-6,
            mistakes=_mistakes(source, target, bandwidth),
        )  # fmt: skip


def _samples(generator: Generator, shift: float) -> tuple[Tensor, Tensor, float]:
    n, m, d = integer(5, 9, generator), integer(10, 14, generator), integer(2, 4, generator)
    source, target = normal(n, d, generator=generator), normal(m, d, generator=generator) + shift
    return source, target, uniform(1.3, 2.5, generator)


@exercise.part("mean over all splits is that of no shift", points=1)
def mean_over_splits(answer: Answer, generator: Generator) -> None:
    """Two rows each: over all splits of four rows, as under no shift, the mean is zero, so that some are negative."""
    pooled, bandwidth = normal(4, 2, generator=generator), uniform(0.8, 1.5, generator)
    splits = [(i, j) for i, j in product(range(4), range(4)) if i < j]
    values = []
    for split in splits:
        rest = [row for row in range(4) if row not in split]
        values.append(answer.number(pooled[list(split)], pooled[rest], bandwidth))
    mean = sum(values) / len(values)
    if min(values) >= 0:
        raise Mistake("it is never negative: clipped, or biased. An unbiased estimate of zero falls on both sides")
    if abs(mean) > 1e-9:
        raise Mistake("over all splits of the same rows its mean is not zero: it is not unbiased")


@exercise.part("distances survive far from the origin", points=1)
def far_from_the_origin(answer: Answer, generator: Generator) -> None:
    source, target, bandwidth = _samples(generator, 1.0)
    far = 1e7 * (1 + uniform(0.0, 1.0, generator))
    # Many rows, since torch.cdist changes its method with their number.
    source, target = source.repeat(5, 1) + far, target.repeat(4, 1) + far
    source[:, 0] += normal(len(source), generator=generator)
    if abs(answer.number(source, target, bandwidth) - unbiased(source, target, bandwidth)) > 1e-6:
        raise Mistake(
            "far from the origin it is wrong: ‖x‖² + ‖y‖² − 2⟨x, y⟩ cancels there, also inside torch.cdist, and "
            "float32 has too few digits. Subtract a mean of all rows first"
        )
