"""Marks in the tables that learning platforms import."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stablenets.grading.manual import Marks, answered
from stablenets.grading.records import Assignment, Outcome
from stablenets.grading.tables import write_table


class Total(NamedTuple):
    """What one student has in one chapter.

    Attributes:
        outcome: of the submission that counts.
        points: a machine's and, as far as given, a person's.
        pending: answers to open questions that are not marked yet; where there are no words, none are due.
    """

    outcome: Outcome
    points: float
    pending: tuple[str, ...]


# By student, as name and identifier, then by chapter.
Totals = dict[tuple[str, str], dict[str, Total]]


def totals(outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks) -> Totals:
    """Return every student's marks. Of several submissions of one chapter the one with most points counts.

    Who handed in nothing that could be graded is there without chapters: that is not a mark of 0.
    """
    found: Totals = {}
    for outcome in outcomes:
        chapters = found.setdefault((outcome.student, outcome.identifier), {})
        if outcome.problem or outcome.chapter not in assignments:
            continue
        new = total(outcome, assignments[outcome.chapter], marks)
        if outcome.chapter not in chapters or new.points > chapters[outcome.chapter].points:
            chapters[outcome.chapter] = new
    return found


def total(outcome: Outcome, assignment: Assignment, marks: Marks) -> Total:
    """Return the points of one submission."""
    given = {
        question.exercise: mark.points if (mark := marks.get((outcome.key, question.exercise))) else None
        for question, _ in answered(outcome, assignment)
    }
    pending = tuple(exercise for exercise, points in given.items() if points is None)
    return Total(outcome, outcome.points + sum(points or 0 for points in given.values()), pending)


def maximum(assignment: Assignment) -> int:
    """Return the points that an assignment gives at most."""
    return sum(question.points + question.manual_points for question in assignment.questions)


def title(chapter: str) -> str:
    """Return a chapter's name as people read it."""
    return chapter.replace("-", " ").capitalize()


def write(folder: Path, outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks) -> list[Path]:
    """Write the tables and return their paths.

    A cell stays empty, so that an import changes nothing there, where nothing could be graded and where an open
    question still waits for its mark.

    - ``canvas.csv``: as Canvas exports its gradebook. The column ID is filled in from Canvas's own file names; a new
      column becomes a new assignment.
    - ``moodle-CHAPTER.csv``: as the offline grading worksheet of the Moodle assignment, with the participants' numbers
      from Moodle's own folder names.
    - ``gradescope.csv``: names, identifiers and totals. Gradescope imports no table of marks for work that it did
      not collect; this one is for mapping by hand.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = totals(outcomes, assignments, marks)
    chapters = [chapter for chapter in assignments if any(chapter in of_student for of_student in found.values())]

    def points(chapter: str, of_student: dict[str, Total]) -> float | str:
        return of_student[chapter].points if chapter in of_student and not of_student[chapter].pending else ""

    most = [maximum(assignments[chapter]) for chapter in chapters]
    canvas = [
        ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", *map(title, chapters)),
        ("Points Possible", "", "", "", "", *most),
    ]
    gradescope = [("Name", "SID", *map(title, chapters), "Total Score", "Max Points")]
    for (name, identifier), of_student in found.items():
        row = [points(chapter, of_student) for chapter in chapters]
        canvas.append((name, identifier, "", "", "", *row))
        whole = "" if "" in row else sum(row)
        gradescope.append((name, identifier, *row, whole, sum(most)))
    tables = {"canvas": canvas, "gradescope": gradescope}
    for chapter, most_points in zip(chapters, most):
        worksheet = [("Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)")]
        for (name, identifier), of_student in found.items():
            if chapter in of_student:
                number = f"Participant {identifier}" if identifier else ""
                worksheet.append((number, name, points(chapter, of_student), most_points, "-"))
        tables[f"moodle-{chapter}"] = worksheet
    for name, rows in tables.items():
        write_table(folder / f"{name}.csv", rows)
    return [folder / f"{name}.csv" for name in tables]
