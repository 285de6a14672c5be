"""Checks of the exercises on symmetry breaking."""

from stablenets.checks.symmetry_breaking import equal_units, interventions, invariances, rounding

__all__ = ["equal_units", "interventions", "invariances", "rounding"]
