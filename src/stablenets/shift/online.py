"""Detectors that read the errors of a deployed model one by one and say when they have become more frequent.

Each has ``update(error) -> bool``, which is true when drift is found, and ``warning``, true while it is suspected. A
detector that has raised an alarm forgets what it saw before the change and goes on.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from torch import Tensor

from stablenets._arguments import non_negative, positive, positive_integer, within


class Detector(Protocol):
    """What :func:`run_detector` needs."""

    warning: bool

    def update(self, error: float) -> bool:
        """Take in the error of one prediction, 0 to 1, and tell whether drift is found."""
        ...


class Detections(NamedTuple):
    """Steps, counted from 0, at which a detector raised an alarm, and those at which it only warned."""

    alarms: list[int]
    warnings: list[int]

    def delay(self, change: int) -> int | None:
        """Return the steps from ``change`` to the first alarm at or after it, None if there is none."""
        return next((alarm - change for alarm in self.alarms if alarm >= change), None)


def run_detector(detector: Detector, errors: Tensor | Iterable[float]) -> Detections:
    """Feed a stream of errors to a detector.

    Args:
        detector: used up to its present state; give a new one to start afresh.
        errors: of one prediction each, 0 to 1.

    >>> run_detector(DDM(), [0, 1] * 100 + [1] * 100).delay(200)
    33
    """
    alarms, warnings = [], []
    for step, error in enumerate(errors.tolist() if isinstance(errors, Tensor) else errors):
        if detector.update(error):
            alarms.append(step)
        elif detector.warning:
            warnings.append(step)
    return Detections(alarms, warnings)


class DDM:
    """Drift detection method: the error rate p has left its lowest level by more than chance allows.

    With s = √(p(1 − p)/n) after n errors, it remembers the smallest p + s and warns when
    p + s > p_min + warning_level·s_min; p + s > p_min + drift_level·s_min is drift.

    Args:
        warning_level: in standard deviations, > 0.
        drift_level: in standard deviations, ≥ ``warning_level``.
        minimum: number of errors before the first verdict.

    Source: Gama, Medas, Castillo and Rodrigues (2004), SBIA, section 3. We differ in one point: as long as no
    prediction was wrong nothing is remembered, because s_min would be 0 and the first error would be drift.
    """

    def __init__(self, *, warning_level: float = 2.0, drift_level: float = 3.0, minimum: int = 30):
        if positive("drift_level", drift_level) < positive("warning_level", warning_level):
            raise ValueError(f"drift_level must be at least warning_level, {warning_level}, got {drift_level}")
        self.warning_level, self.drift_level = warning_level, drift_level
        self.minimum = positive_integer("minimum", minimum)
        self._restart()

    def _restart(self) -> None:
        self.warning, self.n, self.rate = False, 0, 0.0
        self.lowest_rate = self.lowest_deviation = math.inf

    def update(self, error: float) -> bool:
        """Take one error, 0 or 1, and return whether there is drift."""
        error = single_error(error)
        if error not in (0.0, 1.0):
            raise ValueError(f"error must be 0 or 1, got {error}")
        self.n += 1
        self.rate += (error - self.rate) / self.n
        deviation = math.sqrt(self.rate * (1 - self.rate) / self.n)
        if self.n < self.minimum:
            return False
        if self.rate and self.rate + deviation <= self.lowest_rate + self.lowest_deviation:
            self.lowest_rate, self.lowest_deviation = self.rate, deviation
        level = self.rate + deviation - self.lowest_rate
        self.warning = level > self.warning_level * self.lowest_deviation
        drift = level > self.drift_level * self.lowest_deviation
        if drift:
            self._restart()
        return drift


class PageHinkley:
    """Page–Hinkley test: the errors above their running mean have added up.

    With x̄_t the mean of the first t errors, m_t = Σ_{i≤t} (x_i − x̄_i − delta); drift is m_t − min m > threshold.

    Args:
        delta: the increase that is tolerated, ≥ 0.
        threshold: larger values give fewer false alarms and longer delays, > 0.
        warning_level: share of the threshold above which the detector warns, in (0, 1].

    Source: Page (1954), Biometrika 41, with the running mean in place of a known one; the warning is ours.
    """

    def __init__(self, *, delta: float = 0.005, threshold: float = 20.0, warning_level: float = 0.5):
        self.delta, self.threshold = non_negative("delta", delta), positive("threshold", threshold)
        self.warning_level = within("warning_level", positive("warning_level", warning_level), 0.0, 1.0)
        self._restart()

    def _restart(self) -> None:
        # The sum is kept above its minimum, which is all that is ever asked of it.
        self.warning, self.n, self.mean, self.above = False, 0, 0.0, 0.0

    def update(self, error: float) -> bool:
        """Take one error, 0 to 1, and return whether there is drift."""
        error = single_error(error)
        self.n += 1
        self.mean += (error - self.mean) / self.n
        self.above = max(0.0, self.above + error - self.mean - self.delta)
        self.warning = self.above > self.warning_level * self.threshold
        drift = self.above > self.threshold
        if drift:
            self._restart()
        return drift


def single_error(value: float) -> float:
    """Return an error as a float; booleans count as 0 and 1."""
    return within("error", float(value) if isinstance(value, bool) else value, 0.0, 1.0)
