"""The open question whether a divergence can be mended after the fact."""

from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=20, manual_points=3)
