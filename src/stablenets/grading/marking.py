"""Mark one submission: the checks run here, with secret seeds; its functions run in the sandbox."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from stablenets.checks.exercise import EXERCISES, PartResult
from stablenets.grading.records import PartMark
from stablenets.grading.sandbox.bubblewrap import USUAL, Limits, Sandbox
from stablenets.grading.sandbox.session import OUT_OF_TIME, TIME, Session, Stopped
from stablenets.grading.text import plain
from stablenets.masters.assignment import Assignment

LONGEST_MESSAGE = 1500


class Marking(NamedTuple):
    """The marks of one submission.

    Attributes:
        parts: one for every part that a machine checks.
        notes: what the instructor may want to know.
        ran_out_of: what the submission had too little of as a whole: ``"time"``, or empty.
    """

    parts: tuple[PartMark, ...]
    notes: tuple[str, ...] = ()
    ran_out_of: str = ""


def mark(
    sandbox: Sandbox,
    cells: Sequence[str],
    assignment: Assignment,
    seed: Callable[[str], int],
    limits: Limits = USUAL,
    **seconds: float,
) -> Marking:
    """Run a submission's cells, check its functions, and return the marks.

    Args:
        sandbox: where the cells run.
        cells: sources of the code cells, in order.
        assignment: what was asked.
        seed: of each exercise, by its id; the student must not know it.
        limits: on memory, files, processes and processor time.
        seconds: ``cell_seconds``, ``call_seconds`` and ``total_seconds`` of :class:`Session`.
    """
    session = Session(sandbox, cells, limits, **seconds)
    try:
        parts = [
            PartMark(question.exercise, *part)
            for question in assignment.questions
            if question.function
            for part in _parts(session, question.exercise, question.function, seed(question.exercise), session.notes)
        ]
    finally:
        session.close()
    notes = [*session.notes, *([OUT_OF_TIME] if session.ran_out_of == TIME else [])]
    return Marking(tuple(parts), tuple(notes), session.ran_out_of)


def _parts(session: Session, id: str, name: str, seed: int, notes: list[str]) -> list[PartResult]:
    exercise = EXERCISES[id]
    try:
        function = session.function(name)
    except (LookupError, Stopped) as error:
        return [PartResult(part.name, 0, part.points, str(error)) for part in exercise.parts]
    results = []
    for index, part in enumerate(exercise.parts):
        try:
            result = exercise.run_part(index, function, seed)
            # A message may quote what the submission returned.
            results.append(result._replace(message=plain(result.message, LONGEST_MESSAGE)))
        except Exception as error:
            # The check itself failed on what came back: nothing for the answer, and word to the instructor.
            notes.append(f"the check of {id}, {part.name}, failed with {type(error).__name__}: {plain(str(error))}")
            results.append(
                PartResult(part.name, 0, part.points, "the answer returned something that cannot be checked")
            )
    return results
