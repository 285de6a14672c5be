"""Checks of the exercises on gradient stability."""
