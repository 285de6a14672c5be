"""Derive the student notebooks from the master notebooks in ``solutions/``.

A student gets each exercise's statement, hint, empty answer and check; the solution, the known wrong answers, the
discussion and the rubric stay with the master.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from stablenets.checks.run import exercise
from stablenets.masters import cells, files
from stablenets.masters.cells import COLAB_TAG, FOR_STUDENTS, KEY, OPEN_ANSWER, exercise_id, role

LABEL = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)
# What only the master's cells use.
PROOFS_IMPORT = re.compile(r"^from stablenets\.checks import alternative, check, wrong$", re.MULTILINE)


def derive(master: NotebookNode) -> NotebookNode:
    """Return the student's version of a master notebook, without outputs.

    Its metadata tell the chapter, and the function that each check asks for.

    Raises:
        ValueError: an answer cell without exactly one marked solution.
    """
    student = nbformat.from_dict(master)
    student.cells = [cell for cell in student.cells if role(cell) in (None, *FOR_STUDENTS)]
    for cell in student.cells:
        if cell.cell_type == "code":
            cell.source = PROOFS_IMPORT.sub("from stablenets.checks import check", cell.source)
            cell.source = cells.without_solution(cell.source) if role(cell) == "answer" else cell.source
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = OPEN_ANSWER if role(cell) == "answer" else _plain(cell.source)
        # Tags tell the book what to fold; only the cell for Colab keeps its own, by which a grader knows it.
        own = {name: value for name, value in cell.metadata.items() if name == KEY or value == [COLAB_TAG]}
        cell.metadata = nbformat.from_dict(own)
    student.metadata[KEY] = _asked(student)
    return student


def _asked(student: NotebookNode) -> NotebookNode:
    own = [cell for cell in student.cells if role(cell) is not None]
    functions = dict(cells.handed_in(cell.source) for cell in own if role(cell) == "check")
    chapter = exercise(exercise_id(own[0])).chapter if own else ""
    return nbformat.from_dict({"chapter": chapter, "functions": functions})


def _plain(source: str) -> str:
    """Write what only the book's markup knows in Markdown that every notebook program shows."""
    source = LABEL.sub("", source)
    source = cells.NAMED_IN_TEXT.sub(lambda match: f"*{exercise(match[1]).summary()}*", source)
    return cells.plain_dropdowns(source)


def write_all(solutions: Path, out: Path, chapters: Sequence[str] = ()) -> Iterator[Path]:
    """Write the students' notebooks and yield their paths."""
    paths = files.masters(solutions, chapters)
    out.mkdir(parents=True, exist_ok=True)
    for path in paths:
        files.write(derive(files.read(path)), out / path.name)
        yield out / path.name
