"""Can a classifier tell the target from the source? On points it was not trained on, only if the two differ."""

import torch
from torch import Tensor

from stablenets._arguments import positive_integer
from stablenets.shift._samples import sample_pair
from stablenets.shift.result import TestResult, permutation_p_value

PERMUTATIONS = 199
# Penalty ½‖w‖² beside the sum of the losses, on standardised features.
PENALTY = 1.0
STEPS = 30


def classifier_test(
    source: Tensor, target: Tensor, *, folds: int = 2, permutations: int | None = None, generator: torch.Generator
) -> TestResult:
    """Test whether two samples have one law by the held-out accuracy of a logistic regression that tells them apart.

        balanced accuracy = ½ (share of the held-out source called source + share of the held-out target called target)

    The chance value is ½ whatever n and m. The features enter linearly: a shift that moves no mean is invisible.

    Args:
        source: ``(n, d)``, n ≥ max(2, folds); any real type.
        target: ``(m, d)``, m ≥ max(2, folds).
        folds: 1 trains on one half of each sample and tests on the other; k ≥ 2 is k-fold cross-validation.
        permutations: relabelings, each trained anew. Without it 199 with two folds or more, and none with one: then p
            is exact and free, since the classifier knows nothing of the labels that it is tested on.
        generator: draws the parts and the relabelings.

    Returns:
        The balanced accuracy and its one-sided p-value: P(accuracy at least this) if the laws are equal.

    Raises:
        ValueError: for samples of a wrong shape, too small, not finite, or of different widths.

    >>> generator = torch.Generator().manual_seed(0)
    >>> x, y = torch.randn(200, 5, generator=generator), torch.randn(100, 5, generator=generator)
    >>> accuracy, p_value = classifier_test(x, y + 1, folds=1, generator=generator)
    >>> accuracy > 0.8, p_value < 1e-8
    (True, True)

    Source: Lopez-Paz and Oquab (2017). Their law, Binomial(held-out points, ½), is for labels tossed by a coin; with
    given numbers of each and a classifier that calls k points target, the number it gets right among the target is
    hypergeometric (Fisher's exact test), which needs no balance. Over several folds the counts are not independent.
    """
    parts = max(2, positive_integer("folds", folds))
    source, target = sample_pair(source, target, least=parts)
    if permutations is not None:
        positive_integer("permutations", permutations)
    points = torch.cat([source, target])
    points = points - points.mean(0)
    scale = points.std(0)
    points = points / torch.where(scale > 0, scale, 1.0)
    part = torch.cat([torch.randperm(len(sample), generator=generator) % parts for sample in (source, target)])
    part = part.to(points.device)
    labels = (torch.arange(len(points), device=points.device) >= len(source)).double()[:, None]
    relabelings = PERMUTATIONS if permutations is None and folds > 1 else permutations or 0
    shuffled = [_shuffled_within(part, labels[:, 0], generator) for _ in range(relabelings)]
    labels = torch.stack([labels[:, 0], *shuffled], dim=1)

    called = torch.cat([_called_target(points, labels, part == held) for held in range(1 if folds == 1 else parts)])
    truth = torch.cat([labels[part == held] for held in range(1 if folds == 1 else parts)])
    hits = (called * truth).sum(0) / truth.sum(0)
    misses = (called * (1 - truth)).sum(0) / (1 - truth).sum(0)
    accuracy = (1 + hits - misses) / 2
    if not relabelings:
        return TestResult(accuracy.item(), _hypergeometric_tail(called[:, 0], truth[:, 0]))
    # Accuracies are multiples of more than this.
    tie = 0.1 / len(points) ** 2
    return TestResult(accuracy[0].item(), permutation_p_value(accuracy[0].item(), accuracy[1:], tie=tie))


def _shuffled_within(part: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Labels shuffled inside each part, so that every part keeps its numbers of both."""
    order = torch.randperm(len(labels), generator=generator).to(part.device)
    shuffled = torch.empty_like(labels)
    shuffled[part.argsort(stable=True)] = labels[order][part[order].argsort(stable=True)]
    return shuffled


def _called_target(points: Tensor, labels: Tensor, held: Tensor) -> Tensor:
    """Which held-out points are called target, by one logistic regression for each column of ``labels``."""
    inputs = torch.cat([points, torch.ones_like(points[:, :1])], dim=1)
    train, y = inputs[~held], labels[~held]
    penalty = torch.full_like(inputs[0, :, None], PENALTY)
    penalty[-1] = 0
    # XᵀX/4 bounds the curvature for any weights and labels (Böhning and Lindsay, 1988): one factor serves every step of
    # every column, and no step overshoots.
    factor = torch.linalg.cholesky(train.T @ train / 4 + penalty.diagflat())
    weights = torch.zeros(inputs.shape[1], labels.shape[1]).to(inputs)
    for _ in range(STEPS):
        gradient = train.T @ (torch.sigmoid(train @ weights) - y) + penalty * weights
        weights -= torch.cholesky_solve(gradient, factor)
    # Where one sample is larger, the trained log odds hold log(its surplus), which says nothing about a point.
    surplus = torch.log(y.sum(0) / (1 - y).sum(0))
    return (inputs[held] @ weights > surplus).double()


def _hypergeometric_tail(called: Tensor, truth: Tensor) -> float:
    """P(X ≥ observed hits), where X of the points that are called target are target by chance alone."""
    from scipy.stats import hypergeom  # slow to import, and needed nowhere else

    total, targets, drawn, hits = (int(count) for count in (len(truth), truth.sum(), called.sum(), called @ truth))
    return min(1.0, float(hypergeom.sf(hits - 1, total, targets, drawn)))  # its sum may round to more
