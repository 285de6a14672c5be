"""Checks of the exercises on LARS and large batches."""

from stablenets.checks.lars import algorithm, analysis, batches, comparison, divergence

__all__ = ["algorithm", "analysis", "batches", "comparison", "divergence"]
