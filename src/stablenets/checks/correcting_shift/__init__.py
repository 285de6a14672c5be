"""Checks of the exercises on correcting shift."""
