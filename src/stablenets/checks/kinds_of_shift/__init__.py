"""Checks of the exercises on the kinds of distribution shift."""

from stablenets.checks.kinds_of_shift import kinds, worlds

__all__ = ["kinds", "worlds"]
