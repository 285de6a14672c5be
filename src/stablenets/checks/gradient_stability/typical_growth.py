"""The open question how a product can keep its mean square and vanish almost surely."""

from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=20, manual_points=3)
