"""The open question what else, besides shift, comes between empirical and true risk."""

from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25, manual_points=3)
