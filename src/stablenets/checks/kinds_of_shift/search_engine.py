"""The open question what a change of a search engine does to those who use it."""

from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=20, manual_points=3)
