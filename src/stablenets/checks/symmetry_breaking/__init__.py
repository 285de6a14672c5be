"""Checks of the exercises on symmetry breaking."""
