"""The open question where a symmetry of the weights is what makes a model good."""

from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=15, manual_points=2)
