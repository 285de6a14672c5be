"""Marks in the tables that learning platforms import."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stablenets.grading.manual import ManualMark, Marks, answered
from stablenets.grading.records import Assignment, Outcome
from stablenets.grading.tables import write_table


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


Row = tuple[str | float, ...]
# By student, as name and identifier, then by chapter.
Totals = dict[tuple[str, str], dict[str, Total]]


def totals(outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks) -> Totals:
    """Return every student's marks. Of several submissions of one chapter the one with most points counts.

    Answers in others that could still overtake it are pending too. Who handed in nothing that could be graded is there
    without chapters: that is not a mark of 0.

    Raises:
        ValueError: a chapter was graded of which there is no assignment.
    """
    found: dict[tuple[str, str], dict[str, list[Total]]] = {}
    for outcome in outcomes:
        chapters = found.setdefault((outcome.student, outcome.identifier), {})
        if outcome.problem:
            continue
        if outcome.chapter not in assignments:
            raise ValueError(f"{outcome.key} was graded as {outcome.chapter!r}, and there is no master of that name")
        chapters.setdefault(outcome.chapter, []).append(total(outcome, assignments[outcome.chapter], marks))
    return {
        student: {chapter: _counting(several) for chapter, several in chapters.items()}
        for student, chapters in found.items()
    }


def _counting(several: Sequence[Total]) -> Total:
    best = max(several, key=lambda one: one.points)  # the first of equals
    return best._replace(
        pending=tuple(question for one in several if one.most > best.points for question in one.pending)
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
    """Write the tables and return their paths.

    What could not be graded, or waits for the mark of an open question, has no mark: that is not a mark of 0.

    - ``canvas-CHAPTER.csv``: as Canvas exports its gradebook. The column ID is filled in from Canvas's own file names;
      rows without it must be matched by hand. The column goes to the assignment of its title; if there is none, Canvas
      asks. Only students with a mark have a row, since Canvas takes an empty cell for a mark to take away.
    - ``moodle-CHAPTER.csv``: as the offline grading worksheet of the Moodle assignment, with the participants' numbers
      from Moodle's own folder names. Moodle passes over empty cells, rows without a number and marks above its own
      maximum; over marks that it has already too, unless one allows the update of records modified in Moodle. It knows
      the headings in its language, which must be English.
    - ``gradescope.csv``: names, identifiers and totals. Gradescope imports no table of marks for work that it did
      not collect; this one is for mapping by hand.

    Raises:
        ValueError: a chapter was graded of which there is no assignment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = totals(outcomes, assignments, marks)
    chapters = [chapter for chapter in assignments if any(chapter in of_student for of_student in found.values())]
    tables = {}
    for chapter in chapters:
        tables[f"canvas-{chapter}"] = _canvas(chapter, maximum(assignments[chapter]), found)
        tables[f"moodle-{chapter}"] = _moodle(chapter, maximum(assignments[chapter]), found)
    most = sum(maximum(assignments[chapter]) for chapter in chapters)
    tables["gradescope"] = [("Name", "SID", *map(title, chapters), "Total Score", "Max Points")]
    for student, of_student in found.items():
        row = [_points(of_student.get(chapter)) for chapter in chapters]
        tables["gradescope"].append((*student, *row, "" if "" in row else sum(row), most))
    for name, rows in tables.items():
        write_table(folder / f"{name}.csv", rows)
    return [folder / f"{name}.csv" for name in tables]


def _points(total: Total | None) -> float | str:
    return "" if total is None or total.pending else total.points


def _canvas(chapter: str, most: int, found: Totals) -> list[Row]:
    rows: list[Row] = [("Student", "ID", "SIS User ID", "SIS Login ID", "Section", title(chapter))]
    rows.append(("Points Possible", "", "", "", "", most))
    for (name, identifier), of_student in found.items():
        if (points := _points(of_student.get(chapter))) != "":
            # Canvas takes every row with these words for the one of the maxima.
            rows.append((name.replace("Points Possible", "points possible"), identifier, "", "", "", points))
    return rows


def _moodle(chapter: str, most: int, found: Totals) -> list[Row]:
    rows: list[Row] = [("Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)")]
    for (name, identifier), of_student in found.items():
        if chapter in of_student:
            number = f"Participant {identifier}" if identifier else ""
            rows.append((number, name, _points(of_student[chapter]), most, "-"))
    return rows
