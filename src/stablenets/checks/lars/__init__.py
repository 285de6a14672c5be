"""Checks of the exercises on LARS and large batches."""
