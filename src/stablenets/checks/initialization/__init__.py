"""Checks of the exercises on initialization."""
