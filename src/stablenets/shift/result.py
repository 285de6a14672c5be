"""What a test returns, and the p-value of a test by permutation."""

from typing import NamedTuple

from torch import Tensor


class TestResult(NamedTuple):
    """Statistic of a two-sample test, large where the samples differ, and its p-value."""

    __test__ = False  # the name is no invitation to pytest

    statistic: float
    p_value: float


def permutation_p_value(observed: float, permuted: Tensor, *, tie: float = 0.0) -> float:
    """Share of the labelings, the observed one among them, whose statistic is at least the observed one.

        p = (1 + #{b : T_b ≥ T}) / (B + 1)

    The observed labeling is one of the B + 1 that were equally likely, so it counts too: p is at least 1/(B + 1), never
    0, and P(p ≤ α) ≤ α when the samples have one law.

    Args:
        observed: T.
        permuted: statistics of the B other labelings, shape ``(B,)``.
        tie: differences up to this count as equal, for statistics that carry rounding errors.

    >>> import torch
    >>> permutation_p_value(3.0, torch.tensor([1.0, 2.0, 3.0, 0.0]))
    0.4

    Source: Phipson and Smyth (2010).
    """
    return (1 + int((permuted >= observed - tie).sum())) / (len(permuted) + 1)
