"""The checks of the exercises on feedback and other gaps."""

from stablenets.checks.feedback import drift, loop, samples, scores

__all__ = ["drift", "loop", "samples", "scores"]
