"""Derive the student notebooks from the master notebooks in ``solutions/``.

A student gets each exercise's statement, hint, empty answer and check; the solution, the known wrong answers, the
discussion and the rubric stay with the master.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from stablenets.book.notebooks import COLAB_TAG, write
from stablenets.checks.run import exercise

FOR_STUDENTS = {None, "statement", "hint", "answer", "check"}
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.DOTALL | re.MULTILINE)
LABEL = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)
FACTS = re.compile(r"\{exercise\}`([\w-]+)`")
DROPDOWN = re.compile(r"^:::\{dropdown\} (.+?)\n(.*?)^:::$", re.DOTALL | re.MULTILINE)
# What only the master's cells use.
PROOFS_IMPORT = re.compile(r"^from stablenets\.checks import alternative, check, wrong$", re.MULTILINE)
OPEN_ANSWER = "*Write your answer here.*"


def derive(master: NotebookNode) -> NotebookNode:
    """Return the student's version of a master notebook, without outputs.

    Its metadata tell the chapter, and the function that each check asks for.

    Raises:
        ValueError: an answer cell without exactly one marked solution.
    """
    student = nbformat.from_dict(master)
    student.cells = [cell for cell in student.cells if role(cell) in FOR_STUDENTS]
    for cell in student.cells:
        if cell.cell_type == "code":
            cell.source = PROOFS_IMPORT.sub("from stablenets.checks import check", cell.source)
            cell.source = _empty(cell.source) if role(cell) == "answer" else cell.source
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = OPEN_ANSWER if role(cell) == "answer" else _plain(cell.source)
        # Tags tell the book what to fold; only the cell for Colab keeps its own, by which a grader knows it.
        kept = {k: v for k, v in cell.metadata.items() if k == "stablenets" or v == [COLAB_TAG]}
        cell.metadata = nbformat.from_dict(kept)
    student.metadata["stablenets"] = _asked(student)
    return student


def _asked(student: NotebookNode) -> NotebookNode:
    own = [cell for cell in student.cells if role(cell) is not None]
    functions = {c.metadata.stablenets.exercise: function(c.source) for c in own if role(c) == "check"}
    chapter = exercise(own[0].metadata.stablenets.exercise).chapter if own else ""
    return nbformat.from_dict({"chapter": chapter, "functions": functions})


def role(cell: NotebookNode) -> str | None:
    """What a cell is to its exercise, or None for the cells that all exercises share."""
    return cell.metadata.get("stablenets", {}).get("role")


def function(check: str) -> str:
    """Return the name of the function that a check cell hands in."""
    return ast.parse(check).body[-1].value.args[1].id


def _empty(source: str) -> str:
    """Replace the marked solution by ``...``."""
    emptied, count = SOLUTION.subn(r"\1...", source)
    if count != 1:
        raise ValueError(f"an answer must mark exactly one solution, found {count} in:\n{source}")
    return emptied


def _plain(source: str) -> str:
    """Write what only the book's markup knows in Markdown that every notebook program shows."""
    source = LABEL.sub("", source)
    source = FACTS.sub(lambda match: f"*{exercise(match[1]).summary()}*", source)
    return DROPDOWN.sub(r"<details><summary>\1</summary>\n\n\2\n</details>", source)


def masters(solutions: Path, chapters: Sequence[str] = ()) -> list[Path]:
    """Return the paths of the master notebooks, all or those of the chapters named.

    Raises:
        ValueError: there is none, or none of a chapter named.
    """
    found = {path.stem: path for path in sorted(solutions.glob("*.ipynb"))}
    if not found:
        raise ValueError(
            f"solutions must be the folder of the master notebooks, got {str(solutions)!r}, which has none"
        )
    if unknown := [chapter for chapter in chapters if chapter not in found]:
        raise ValueError(f"chapters must be among {', '.join(found)}, got {', '.join(unknown)}")
    return [found[chapter] for chapter in chapters or found]


def opened(path: Path) -> NotebookNode:
    """Return the notebook in a file.

    Raises:
        ValueError: it is none; the text names the file.
    """
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # nbformat's own words do not say of which file it speaks.
        raise ValueError(f"{path} is not a notebook: {error}") from error


def write_all(solutions: Path, out: Path, chapters: Sequence[str] = ()) -> Iterator[Path]:
    """Write the students' notebooks and yield their paths."""
    paths = masters(solutions, chapters)
    out.mkdir(parents=True, exist_ok=True)
    for path in paths:
        write(derive(opened(path)), out / path.name)
        yield out / path.name
