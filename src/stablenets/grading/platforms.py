"""Learning platforms: what they name the files that they export, and the tables of marks that they import.

A platform more is a pattern in ``FILE_NAMES``, a function that returns its table, and a line in ``TABLES``.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Student(NamedTuple):
    """One row of a table: a student's name, number on the platform (empty if not known) and points.

    Points are None where there is no mark, which is not a mark of 0.
    """

    name: str
    identifier: str
    points: float | None


Row = tuple[str | float, ...]

# Groups: the student's name, and the number by which the platform knows the student. The first that matches counts.
FILE_NAMES = {
    # Full Name_1234567_assignsubmission_file_, a folder or a file.
    "moodle": re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_.*"),
    # lastfirst_LATE_12345_67890_file-1.ipynb
    "canvas": re.compile(r"(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_\d+_.+"),
}


def owner(file_name: str) -> tuple[str, str] | None:
    """Return the student's name and number, if a platform gave this name to a file or folder.

    >>> owner("ashann_LATE_12_345_initialization.ipynb")
    ('ashann', '12')
    """
    for pattern in FILE_NAMES.values():
        if match := pattern.fullmatch(file_name):
            return match["name"], match["id"]
    return None


def canvas(title: str, maximum: float, students: Sequence[Student]) -> list[Row]:
    """Return marks as Canvas exports its gradebook.

    The column ID is filled in from Canvas's own file names; rows without it must be matched by hand. The last column
    goes to the assignment of its title; if there is none, Canvas asks. Only students with a mark have a row, since
    Canvas takes an empty cell for a mark to take away.
    """
    rows: list[Row] = [("Student", "ID", "SIS User ID", "SIS Login ID", "Section", title)]
    rows.append(("Points Possible", "", "", "", "", maximum))
    for student in students:
        if student.points is not None:
            # Canvas takes every row with these words for the one of the maxima.
            name = student.name.replace("Points Possible", "points possible")
            rows.append((name, student.identifier, "", "", "", student.points))
    return rows


def moodle(title: str, maximum: float, students: Sequence[Student]) -> list[Row]:
    """Return marks as the offline grading worksheet of a Moodle assignment has them.

    The participants' numbers come from Moodle's own folder names. Moodle passes over empty cells, rows without a number
    and marks above its own maximum; over marks that it has already too, unless one allows the update of records
    modified in Moodle. It knows the headings in its language, which must be English.
    """
    rows: list[Row] = [("Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)")]
    for student in students:
        number = f"Participant {student.identifier}" if student.identifier else ""
        rows.append((number, student.name, _cell(student.points), maximum, "-"))
    return rows


def gradescope(
    titles: Sequence[str], maximum: float, students: Mapping[tuple[str, str], Sequence[float | None]]
) -> list[Row]:
    """Return the marks of all chapters by student (name and number), for mapping by hand.

    Gradescope imports no table of marks for work that it did not collect.
    """
    rows: list[Row] = [("Name", "SID", *titles, "Total Score", "Max Points")]
    for student, points in students.items():
        total = None if None in points else sum(points)
        rows.append((*student, *map(_cell, points), _cell(total), maximum))
    return rows


def _cell(points: float | None) -> float | str:
    return "" if points is None else points


# Tables of one chapter: of its title, the most points, and the students who handed it in.
TABLES = {"canvas": canvas, "moodle": moodle}
