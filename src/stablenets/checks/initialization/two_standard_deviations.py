"""The open question why a rule of two standard deviations explains nothing."""

from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=10, manual_points=2)
