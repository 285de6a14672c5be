"""What a student learns of a notebook before handing it in, as values and in words."""

from dataclasses import dataclass
from typing import Any

from stablenets.checks.exercise import PartResult, Result


@dataclass(frozen=True)
class Answered:
    """What there is of one exercise.

    Attributes:
        exercise: its id.
        missing: what is not there, in a sentence; empty if it is answered.
        parts: of the check with the public seed; none if there is nothing to check.
        known: False for an exercise of an instructor's own, whose check is not installed here.
    """

    exercise: str
    missing: str = ""
    parts: tuple[PartResult, ...] = ()
    known: bool = True

    def __str__(self) -> str:
        if self.missing:
            return f"– {self.exercise}: {self.missing}"
        if not self.known:
            return f"– {self.exercise}: this exercise is not known here; it is checked when the notebook is graded"
        if self.parts:
            return repr(Result(self.exercise, self.parts))
        return f"✓ {self.exercise}: answered; a person will mark it"


@dataclass(frozen=True)
class Validation:
    """What a grader would meet in a notebook; shown as text, it tells the student.

    Attributes:
        problem: why it could not be graded; empty if it could.
        chapter: slug of the chapter that it answers.
        errors: cells that raised, took too long or cannot work when graded.
        answers: one for each exercise of the chapter.
        notes: what a grader would tell the instructor.
    """

    problem: str = ""
    chapter: str = ""
    errors: tuple[str, ...] = ()
    answers: tuple[Answered, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether everything is answered and every cell runs; the answers may be wrong."""
        return not self.problem and not self.errors and not any(answer.missing for answer in self.answers)

    def __str__(self) -> str:
        if self.problem:
            return f"This notebook cannot be graded: {self.problem}."
        lines = [*self.answers, *(f"✗ {error}" for error in self.errors), *(f"– {note}" for note in self.notes)]
        end = "Ready to hand in" if self.ready else "Not ready to hand in"
        return "\n".join([*map(str, lines), f"{end}. A grader runs the same checks, with other inputs."])

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        answers = [{**vars(answer), "parts": [part._asdict() for part in answer.parts]} for answer in self.answers]
        return {**vars(self), "answers": answers, "ready": self.ready}
