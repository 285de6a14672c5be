"""Mark one submission: the checks run here, with secret seeds; its functions run in the sandbox."""

from collections.abc import Callable, Sequence

from stablenets.checks.exercise import EXERCISES, PartResult
from stablenets.grading.plain import plain
from stablenets.grading.records import Assignment, PartMark
from stablenets.grading.sandbox import USUAL, Limits, Sandbox
from stablenets.grading.session import Session, Stopped

LONGEST_MESSAGE = 1500
# No note about what a submission raised reads like this one.
OUT_OF_TIME = "the time for the whole notebook was used up"


def mark(
    sandbox: Sandbox,
    cells: Sequence[str],
    assignment: Assignment,
    seed: Callable[[str], int],
    limits: Limits = USUAL,
    **seconds: float,
) -> tuple[tuple[PartMark, ...], tuple[str, ...]]:
    """Return the marks of every part that a machine checks, and what the instructor may want to know.

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
        marks = [
            PartMark(question.exercise, *part)
            for question in assignment.questions
            if question.function
            for part in _parts(session, question.exercise, question.function, seed(question.exercise), session.notes)
        ]
    finally:
        session.close()
    return tuple(marks), (*session.notes, *([OUT_OF_TIME] if session.out_of_time else []))


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
