"""Checks of the exercises on the kinds of distribution shift."""
