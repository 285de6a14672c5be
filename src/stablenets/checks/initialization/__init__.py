"""Checks of the exercises on initialization."""

from stablenets.checks.initialization import layers, mean_field, signals

__all__ = ["layers", "mean_field", "signals"]
