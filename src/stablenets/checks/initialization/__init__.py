"""Checks of the exercises on initialization."""

from stablenets.checks.initialization import activations, layers, mean_field, networks

__all__ = ["activations", "layers", "mean_field", "networks"]
