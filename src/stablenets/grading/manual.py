"""The sheet in which the instructor marks open questions: it is written for them, kept, and read back."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stablenets.grading.records import Assignment, Outcome, Question
from stablenets.grading.tables import original, write_table

COLUMNS = ("student", "submission", "chapter", "exercise", "title", "maximum", "points", "comment")


class ManualMark(NamedTuple):
    """What a person gave for an answer to an open question; ``points`` is None as long as it is not marked."""

    points: float | None
    comment: str = ""


# By submission (its key) and exercise.
Marks = Mapping[tuple[str, str], ManualMark]


def answered(outcome: Outcome, assignment: Assignment) -> list[tuple[Question, str]]:
    """Return the open questions on which a submission has words, with the words."""
    texts = dict(outcome.texts)
    open_questions = (question for question in assignment.questions if question.manual_points)
    return [(question, texts[question.exercise]) for question in open_questions if texts.get(question.exercise)]


def read_sheet(path: Path) -> dict[tuple[str, str], ManualMark]:
    """Return what is filled in, from the sheet as it was written or as a spreadsheet saved it.

    Separators may be commas, semicolons or tabs, and the decimal mark a point or a comma.

    Raises:
        ValueError: a column is missing, or a cell is not what it must be; the text names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: must be saved as CSV in UTF-8") from error
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
        raise ValueError(f"{path}: the columns must be {', '.join(COLUMNS)}; missing: {', '.join(missing)}")
    found = {}
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        if None in row.values():
            raise ValueError(f"{where}: fewer columns than the first line has")
        key = original(row["submission"]), original(row["exercise"])
        if key in found:
            raise ValueError(f"{where}: a second line for {key[1]} of {key[0]}")
        maximum = _number(row["maximum"], where, "maximum")
        points = _number(row["points"], where, "points") if row["points"].strip() else None
        if points is not None and not 0 <= points <= (maximum or 0):
            raise ValueError(f"{where}: points must be from 0 to {row['maximum']}, got {row['points']!r}")
        found[key] = ManualMark(points, original(row["comment"]))
    return found


def _number(text: str, where: str, column: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"{where}: {column} must be a number, got {text!r}") from None


def write_sheet(path: Path, outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks) -> None:
    """Write a line for every answer to an open question, with what is filled in so far.

    A mark whose submission is there no more stands at the end: it is never dropped.
    """
    rows, left = [], dict(marks)
    for outcome in outcomes:
        for question, _ in answered(outcome, assignments[outcome.chapter]) if outcome.chapter in assignments else ():
            mark = left.pop((outcome.key, question.exercise), ManualMark(None))
            what = outcome.chapter, question.exercise, question.title, question.manual_points
            rows.append((outcome.student, outcome.key, *what, *_shown(mark)))
    points = {q.exercise: q.manual_points for assignment in assignments.values() for q in assignment.questions}
    for (key, exercise), mark in left.items():
        if mark != ManualMark(None):
            maximum = points.get(exercise, mark.points or 0)
            rows.append(("(no longer there)", key, "", exercise, "", maximum, *_shown(mark)))
    write_table(path, [COLUMNS, *rows])


def _shown(mark: ManualMark) -> tuple[str | float, str]:
    return "" if mark.points is None else mark.points, mark.comment
