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


class PartMark(NamedTuple):
    """The mark of one part of a check, what was wrong (empty if nothing), and whether there was no answer at all."""

    exercise: str
    part: str
    points: int
    maximum: int
    message: str
    blank: bool = False


class Origin(NamedTuple):
    """From what a row was made.

    Attributes:
        digest: of what was handed in and of what marked it; empty if it is to be graded again in any case.
        ran_out_of: what there was too little of: ``"time"``, or empty.
        time_limit: seconds that there were; 0 if that is not known.
    """

    digest: str
    ran_out_of: str = ""
    time_limit: float = 0.0


class Outcome(NamedTuple):
    """The one row in which a submission ends.

    Attributes:
        key, student, identifier: of the submission.
        digest: of what was handed in and of what marked it, as in :class:`Origin`.
        chapter: slug of the assignment; empty if it could not be told.
        problem: why it could not be graded; empty if it was.
        parts: the marks, in the order of the assignment.
        texts: the student's words on each open question: (exercise, Markdown).
        notes: what the instructor may want to know: a missing cell, a cell that raised, a time limit.
        seconds: that grading took.
        ran_out_of, time_limit: as in :class:`Origin`.
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
    ran_out_of: str = ""
    time_limit: float = 0.0

    @property
    def origin(self) -> Origin:
        return Origin(self.digest, self.ran_out_of, self.time_limit)

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def maximum(self) -> int:
        return sum(part.maximum for part in self.parts)
