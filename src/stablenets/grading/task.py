"""What decides the marks of a run, and so which rows of an earlier run are out of date."""

import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from stablenets import checks
from stablenets.grading.records import Origin, Outcome, Submission
from stablenets.grading.sandbox.bubblewrap import USUAL, Limits
from stablenets.grading.sandbox.session import TIME
from stablenets.masters.assignment import Assignment


class Task(NamedTuple):
    """What all submissions of a run are graded by.

    Attributes:
        assignments: by chapter.
        seeds: the secret seed of each exercise.
        preload: modules that a sandbox imports before any submission.
        confined: False runs submissions without protection.
        limits: on what a submission may use.
        total_seconds: wall time of one submission.
        exercises: a Python file of exercises of one's own, or None.
    """

    assignments: Mapping[str, Assignment]
    seeds: Mapping[str, int]
    preload: tuple[str, ...]
    confined: bool = True
    limits: Limits = USUAL
    total_seconds: float = 600
    exercises: Path | None = None


def digest(task: Task, submission: Submission) -> str:
    """Return a digest of what was handed in and of what marks it: a row with another one is out of date."""
    course = _course(repr(sorted(task.assignments.items())), task.exercises)
    return hashlib.sha256((course + submission.digest).encode()).hexdigest()


def stale(task: Task, submission: Submission, origin: Origin | None) -> bool:
    """Whether there is no row with a mark of today's: none at all (None), another digest, or less time than now."""
    if origin is None or origin.digest != digest(task, submission):
        return True
    return origin.ran_out_of == TIME and origin.time_limit < task.total_seconds


def outdated(outcomes: Iterable[Outcome], assignments: Mapping[str, Assignment]) -> list[str]:
    """Return the keys of what was graded by other exercises, or for other points, than these."""
    asked = {name: {q.exercise: q.points for q in each.questions if q.points} for name, each in assignments.items()}
    return [
        outcome.key for outcome in outcomes if not outcome.problem and _points(outcome) != asked.get(outcome.chapter)
    ]


def _points(outcome: Outcome) -> dict[str, int]:
    points = Counter[str]()
    for part in outcome.parts:
        points[part.exercise] += part.maximum
    return dict(points)


@functools.cache
def _course(assignments: str, exercises: Path | None) -> str:
    hashed = hashlib.sha256(assignments.encode())
    for path in sorted(Path(checks.__file__).parent.rglob("*.py")) + ([exercises] if exercises else []):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()
