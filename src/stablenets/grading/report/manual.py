"""The sheet in which the instructor marks open questions: it is written for them, kept, and read back."""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stablenets.grading.records import Outcome
from stablenets.grading.report.tables import original, write_table
from stablenets.masters.assignment import Assignment, Question

COLUMNS = ("student", "submission", "chapter", "exercise", "title", "answer", "maximum", "earlier", "points", "comment")


class ManualMark(NamedTuple):
    """What a person gave for an answer to an open question.

    Attributes:
        points: None as long as it is not marked.
        comment: for the student.
        answer: :func:`fingerprint` of the words that were marked; empty if the sheet does not tell.
        earlier: for the instructor alone: what words had that the student has changed since.
    """

    points: float | None
    comment: str = ""
    answer: str = ""
    earlier: str = ""


# Columns that a sheet of one's own need not have: it need not tell which words it marks.
OPTIONAL = {"answer", "earlier"}
# By submission (its key) and exercise.
Marks = Mapping[tuple[str, str], ManualMark]


def answered(outcome: Outcome, assignment: Assignment | None) -> list[tuple[Question, str]]:
    """Return the open questions on which a submission has words, with the words; none without an assignment."""
    if assignment is None:
        return []
    texts = dict(outcome.texts)
    open_questions = (question for question in assignment.questions if question.manual_points)
    return [(question, texts[question.exercise]) for question in open_questions if texts.get(question.exercise)]


def fingerprint(words: str) -> str:
    """Return eight letters and digits that tell one answer from another; no spreadsheet takes them for a number."""
    return "a" + hashlib.sha256(words.encode("utf-8", "backslashreplace")).hexdigest()[:7]


def current(marks: Marks, outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment]) -> Marks:
    """Return the marks, those for words that the student has since changed open again.

    Such a mark tells the instructor what was given; its comment, which the student reads, is empty again.
    """
    today = dict(marks)
    for outcome in outcomes:
        for question, words in answered(outcome, assignments.get(outcome.chapter)):
            key, now = (outcome.key, question.exercise), fingerprint(words)
            mark = today.get(key, ManualMark(None))
            if mark.points is not None and mark.answer not in ("", now):
                given = f"{mark.points:.12g} of {question.manual_points}"
                today[key] = ManualMark(None, earlier=f"{given}: {mark.comment}" if mark.comment else given)
    return today


def read_sheet(path: Path) -> dict[tuple[str, str], ManualMark]:
    """Return what is filled in, from the sheet as it was written or as a spreadsheet saved it.

    Separators may be commas, semicolons or tabs, and the decimal mark a point or a comma. Empty points: not marked yet.

    Raises:
        ValueError: a column is missing or one too many, or a cell is not what it must be; the text names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: must be saved as CSV in UTF-8") from error
    first = text.partition("\n")[0]
    # Excel leaves out the separators of empty cells at the ends of lines.
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), restval="")
    try:
        return _read(rows, path)
    except csv.Error as error:
        raise ValueError(f"{path}, line {rows.reader.line_num}: {error}") from error


def _read(rows: csv.DictReader, path: Path) -> dict[tuple[str, str], ManualMark]:
    names = rows.fieldnames or ()
    if missing := [name for name in COLUMNS if name not in names and name not in OPTIONAL]:
        raise ValueError(f"{path}: the columns must be {', '.join(COLUMNS)}; missing: {', '.join(missing)}")
    if more := [name for name in names if name.strip() and name not in COLUMNS]:
        raise ValueError(f"{path}: only points and comment are kept, so these columns cannot be: {', '.join(more)}")
    marks = {}
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        beyond = row.pop(None, [])
        if not any(text.strip() for text in (*row.values(), *beyond)):
            continue
        # Such as 2,5 for 2.5 between commas.
        if beyond or any(row[name].strip() for name in names if name not in COLUMNS):
            raise ValueError(f"{where}: more cells than the first line names; a separator within a cell needs quotes")
        key = original(row["submission"]), original(row["exercise"])
        if key in marks:
            raise ValueError(f"{where}: a second line for {key[1]} of {key[0]}")
        maximum = _number(row["maximum"], where, "maximum")
        points = _number(row["points"], where, "points") if row["points"].strip() else None
        if points is not None and not 0 <= points <= maximum:
            raise ValueError(f"{where}: points must be from 0 to {row['maximum']}, got {row['points']!r}")
        answer, earlier = row.get("answer", "").strip(), original(row.get("earlier", ""))
        marks[key] = ManualMark(points, original(row["comment"]), answer, earlier)
    return marks


def _number(text: str, where: str, column: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"{where}: {column} must be a number, got {text!r}") from None


def write_sheet(path: Path, outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks) -> None:
    """Write a line for every answer to an open question, with what is filled in so far.

    A mark whose submission is there no more stands at the end: it is never dropped.

    Raises:
        ValueError: a mark is above what its question gives; nothing is written.
    """
    rows, left = [], dict(marks)
    for outcome in outcomes:
        for question, words in answered(outcome, assignments.get(outcome.chapter)):
            mark = left.pop((outcome.key, question.exercise), ManualMark(None))
            if (mark.points or 0) > question.manual_points:
                what = f"{question.exercise} of {outcome.key}"
                raise ValueError(f"{path}: {what} gives at most {question.manual_points} points, got {mark.points:g}")
            what = outcome.chapter, question.exercise, question.title, fingerprint(words), question.manual_points
            rows.append((outcome.student, outcome.key, *what, *_shown(mark)))
    points = {q.exercise: q.manual_points for assignment in assignments.values() for q in assignment.questions}
    for (key, exercise), mark in left.items():
        if mark.points is not None or mark.comment or mark.earlier:
            maximum = max(points.get(exercise, 0), mark.points or 0)
            rows.append(("(no longer there)", key, "", exercise, "", mark.answer, maximum, *_shown(mark)))
    write_table(path, [COLUMNS, *rows])


def _shown(mark: ManualMark) -> tuple[str, str, str]:
    return mark.earlier, "" if mark.points is None else f"{mark.points:.12g}", mark.comment
