"""What each student has in each chapter, and the tables of it for learning platforms."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stablenets.grading import platforms
from stablenets.grading.platforms import Student
from stablenets.grading.records import Outcome
from stablenets.grading.report.manual import ManualMark, Marks, answered
from stablenets.grading.report.tables import write_table
from stablenets.masters.assignment import Assignment


class Total(NamedTuple):
    """What one student has in one chapter.

    Attributes:
        outcome: of the submission that counts.
        points: a machine's and, as far as given, a person's.
        pending: open questions whose answers are not marked yet; where there are no words, none are due.
        most: points if all that is pending were marked in full.
    """

    outcome: Outcome
    points: float
    pending: tuple[str, ...]
    most: float


# By student, as name and identifier, then by chapter.
Totals = dict[tuple[str, str], dict[str, Total]]


def totals(outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks) -> Totals:
    """Return every student's marks. Of several submissions of one chapter the one with most points counts.

    Answers in others that could still overtake it are pending too. Who handed in nothing that could be graded is there
    without chapters: that is not a mark of 0.

    Raises:
        ValueError: a chapter was graded of which there is no assignment.
    """
    students: dict[tuple[str, str], dict[str, list[Total]]] = {}
    for outcome in outcomes:
        chapters = students.setdefault((outcome.student, outcome.identifier), {})
        if outcome.problem:
            continue
        if outcome.chapter not in assignments:
            raise ValueError(f"{outcome.key} was graded as {outcome.chapter!r}, and there is no master of that name")
        chapters.setdefault(outcome.chapter, []).append(total(outcome, assignments[outcome.chapter], marks))
    return {
        student: {chapter: _counting(several) for chapter, several in chapters.items()}
        for student, chapters in students.items()
    }


def _counting(several: Sequence[Total]) -> Total:
    best = max(several, key=lambda total: total.points)  # the first of equals
    return best._replace(
        pending=tuple(question for total in several if total.most > best.points for question in total.pending)
    )


def total(outcome: Outcome, assignment: Assignment, marks: Marks) -> Total:
    """Return the points of one submission."""
    asked = [question for question, _ in answered(outcome, assignment)]
    given = [marks.get((outcome.key, question.exercise), ManualMark(None)).points for question in asked]
    waiting = [question for question, points in zip(asked, given) if points is None]
    points = outcome.points + sum(points or 0 for points in given)
    most = points + sum(question.manual_points for question in waiting)
    return Total(outcome, points, tuple(question.exercise for question in waiting), most)


def maximum(assignment: Assignment) -> int:
    """Return the points that an assignment gives at most."""
    return sum(question.points + question.manual_points for question in assignment.questions)


def title(chapter: str) -> str:
    """Return a chapter's name as people read it."""
    return chapter.replace("-", " ").capitalize()


def write(folder: Path, outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks) -> list[Path]:
    """Write a table for each chapter and platform, and one of all chapters for Gradescope; return their paths.

    What could not be graded, or waits for the mark of an open question, has no mark: that is not a mark of 0.

    Raises:
        ValueError: a chapter was graded of which there is no assignment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    of_students = totals(outcomes, assignments, marks)
    chapters = [chapter for chapter in assignments if any(chapter in own for own in of_students.values())]
    maxima = {chapter: maximum(assignments[chapter]) for chapter in chapters}
    tables = {}
    for chapter in chapters:
        students = [Student(*student, _points(own[chapter])) for student, own in of_students.items() if chapter in own]
        for platform, table in platforms.TABLES.items():
            tables[f"{platform}-{chapter}"] = table(title(chapter), maxima[chapter], students)
    points = {student: [_points(own.get(chapter)) for chapter in chapters] for student, own in of_students.items()}
    tables["gradescope"] = platforms.gradescope([*map(title, chapters)], sum(maxima.values()), points)
    for name, table in tables.items():
        write_table(folder / f"{name}.csv", table)
    return [folder / f"{name}.csv" for name in tables]


def _points(total: Total | None) -> float | None:
    return None if total is None or total.pending else total.points
