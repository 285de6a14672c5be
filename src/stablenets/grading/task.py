"""By what submissions are graded, and whether a row that is there was graded by it."""

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from stablenets import checks
from stablenets.grading.records import Assignment, Submission
from stablenets.grading.sandbox import USUAL, Limits

# Between the stamp of a row whose submission ran out of time and the seconds that it had.
WITHIN = " within "


class Task(NamedTuple):
    """By what all submissions of a run are graded.

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


def stamp(task: Task, submission: Submission) -> str:
    """Return a digest of what was handed in and of what marks it: a row with another stamp is out of date."""
    course = _course(repr(sorted(task.assignments.items())), task.exercises)
    return hashlib.sha256((course + submission.digest).encode()).hexdigest()


def stale(task: Task, submission: Submission, digest: str | None) -> bool:
    """Whether there is no row with a mark of today's: none at all (None), another stamp, or less time than now."""
    graded_from, _, seconds = (digest or "").partition(WITHIN)
    return graded_from != stamp(task, submission) or (seconds != "" and float(seconds) < task.total_seconds)


@functools.cache
def _course(assignments: str, exercises: Path | None) -> str:
    digest = hashlib.sha256(assignments.encode())
    for path in sorted(Path(checks.__file__).parent.rglob("*.py")) + ([exercises] if exercises else []):
        digest.update(path.read_bytes())
    return digest.hexdigest()
