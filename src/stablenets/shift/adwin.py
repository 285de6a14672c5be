"""Adaptive windowing: keep as many recent errors as agree with one another, at every time scale at once."""

import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from stablenets._arguments import positive, positive_integer
from stablenets.shift.online import single_error

BUCKETS = 5  # of one size; a sixth makes the two oldest into one of double size


class Adwin:
    """ADWIN: cut the window of past errors wherever its older and its newer part differ more than chance allows.

    Parts of lengths n₀ and n₁ with 1/m = 1/n₀ + 1/n₁ differ if their means are further apart than
    √((2/m)·σ²·ln(2/δ′)) + (2/3m)·ln(2/δ′), δ′ = delta/ln(n₀ + n₁), σ² the variance of the window. Then the older part
    is dropped. Only cuts between exponentially growing buckets are tried, so that time and memory are O(log n).

    Args:
        delta: confidence of one check, 0 < delta < 1.
        clock: a check is made every so many errors.
        minimum: the shortest part that is compared.

    Source: Bifet and Gavaldà (2007), SDM, sections 3 and 4 (ADWIN2). We differ in three points. The whole older part
    goes at once, not one bucket after the other, so that one change rarely gives several alarms. An alarm is raised
    only when the newer part is the worse one; the window shrinks in both cases. The warning is the same test at
    10·delta.

    >>> detector = Adwin()
    >>> [step for step in range(2000) if detector.update(float(step >= 1000))]
    [1007]
    >>> detector.mean  # of the window that is left
    1.0
    """

    def __init__(self, *, delta: float = 0.002, clock: int = 16, minimum: int = 5):
        if positive("delta", delta) >= 1:
            raise ValueError(f"delta must be below 1, got {delta}")
        self.delta = delta
        self.clock, self.minimum = positive_integer("clock", clock), positive_integer("minimum", minimum)
        self.warning, self.steps = False, 0
        # rows[i] holds the sum and the sum of squares of each bucket of 2^i errors, the oldest first.
        self._rows: list[deque[tuple[float, float]]] = [deque()]

    @property
    def mean(self) -> float:
        """The mean of the errors in the window, NaN while it is empty."""
        n, total, _ = self._window()
        return total / n if n else math.nan

    def update(self, error: float) -> bool:
        """Take one error, 0 to 1, and return whether there is drift towards more errors."""
        error = single_error(error)
        self.steps += 1
        self._insert(error)
        if self.steps % self.clock:
            return False
        drift = False
        while (cut := self._cut(self.delta)).buckets:
            drift |= cut.difference > 0
            self._drop(cut.buckets)
        self.warning = not drift and self._cut(min(10 * self.delta, 0.5)).difference > 0
        return drift

    def _insert(self, error: float) -> None:
        self._rows[0].append((error, error**2))
        for size, row in enumerate(self._rows):
            if len(row) <= BUCKETS:
                return
            if size + 1 == len(self._rows):
                self._rows.append(deque())
            (sum_a, squares_a), (sum_b, squares_b) = row.popleft(), row.popleft()
            self._rows[size + 1].append((sum_a + sum_b, squares_a + squares_b))

    def _drop(self, buckets: int) -> None:
        for _ in range(buckets):
            while not self._rows[-1]:
                self._rows.pop()
            self._rows[-1].popleft()

    def _buckets(self) -> Iterator[tuple[int, float, float]]:
        """Yield length, sum and sum of squares of each bucket, from the oldest to the newest."""
        for size in reversed(range(len(self._rows))):
            for total, squares in self._rows[size]:
                yield 2**size, total, squares

    def _window(self) -> tuple[int, float, float]:
        # Summed anew, so that no rounding error piles up over a long stream.
        n, total, squares = 0, 0.0, 0.0
        for bucket in self._buckets():
            n, total, squares = n + bucket[0], total + bucket[1], squares + bucket[2]
        return n, total, squares

    def _cut(self, delta: float) -> "Cut":
        """Return the cut whose two means exceed their bound by most."""
        n, total, squares = self._window()
        best = Cut(0, 0.0, 0.0)
        if n < 2 * self.minimum:
            return best
        variance = max(0.0, squares / n - (total / n) ** 2)
        log_term = math.log(2 * math.log(n) / delta)
        n_old, total_old = 0, 0.0
        for buckets, (length, bucket_total, _) in enumerate(self._buckets(), start=1):
            n_old, total_old = n_old + length, total_old + bucket_total
            if min(n_old, n - n_old) < self.minimum:
                continue
            difference = (total - total_old) / (n - n_old) - total_old / n_old
            m = n_old * (n - n_old) / n
            excess = abs(difference) - math.sqrt(2 / m * variance * log_term) - 2 / (3 * m) * log_term
            best = max(best, Cut(buckets, difference, excess), key=lambda cut: cut.excess)
        return best


class Cut(NamedTuple):
    """Number of ``buckets`` in the older part (0: no cut), newer − older mean, and how far beyond the bound that is."""

    buckets: int
    difference: float
    excess: float
