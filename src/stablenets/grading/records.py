"""What passes between the steps of grading: plain records."""

import hashlib
from typing import NamedTuple


class Submission(NamedTuple):
    """One thing that was handed in.

    Attributes:
        key: its path within what was handed in, which is unique.
        student: who handed it in, as its folder or its name tells.
        identifier: the number by which Canvas or Moodle knows the student, if the name holds one.
        content: the bytes of the notebook; empty if it could not be taken in.
        problem: why it cannot be graded, in a sentence; empty if it can.
    """

    key: str
    student: str
    identifier: str = ""
    content: bytes = b""
    problem: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of what was handed in: a submission with another digest has changed."""
        return hashlib.sha256(self.content or self.problem.encode()).hexdigest()


class Question(NamedTuple):
    """One exercise of an assignment.

    Attributes:
        exercise: its id.
        title: as the statement heads it.
        function: name of the function that is asked for; empty for an open question.
        points: that a machine gives.
        manual_points: that a person gives by the rubric.
        rubric: in Markdown; empty without manual points.
    """

    exercise: str
    title: str
    function: str
    points: int
    manual_points: int
    rubric: str


class Assignment(NamedTuple):
    """The exercises of one chapter, in order."""

    chapter: str
    questions: tuple[Question, ...]


class PartMark(NamedTuple):
    """The mark of one part of a check, and what was wrong (empty if nothing)."""

    exercise: str
    part: str
    points: int
    maximum: int
    message: str


class Outcome(NamedTuple):
    """The one row in which a submission ends.

    Attributes:
        key, student, identifier, digest: of the submission.
        chapter: slug of the assignment; empty if it could not be told.
        problem: why it could not be graded; empty if it was.
        parts: the marks, in the order of the assignment.
        texts: the student's words on each open question: (exercise, Markdown).
        notes: what the instructor may want to know: a missing cell, a cell that raised, a time limit.
        seconds: that grading took.
    """

    key: str
    student: str
    identifier: str
    digest: str
    chapter: str = ""
    problem: str = ""
    parts: tuple[PartMark, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def maximum(self) -> int:
        return sum(part.maximum for part in self.parts)
