"""Checks of the exercises on correcting shift."""

from stablenets.checks.correcting_shift import algorithm, corrector, effective, labels, priors

__all__ = ["algorithm", "corrector", "effective", "labels", "priors"]
