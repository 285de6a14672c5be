"""What there is to grade: read from the master notebooks, in which each exercise is written once."""

import ast
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from stablenets.checks.exercise import EXERCISES
from stablenets.masters import agreement, cells, files
from stablenets.masters.cells import exercise_id, role
from stablenets.masters.student_notebook import derive

# Parts of scipy that are modules of their own.
SCIPY = {"scipy.optimize", "scipy.special", "scipy.stats"}


class Question(NamedTuple):
    """One exercise of an assignment.

    Attributes:
        exercise: its id.
        title: as the statement heads it.
        function: name of the function that is asked for; empty for an open question.
        points: that a machine gives.
        manual_points: that a person gives by the rubric.
        rubric: in Markdown; empty without manual points.
    """

    exercise: str
    title: str
    function: str
    points: int
    manual_points: int
    rubric: str


class Assignment(NamedTuple):
    """The exercises of one chapter, in order."""

    chapter: str
    questions: tuple[Question, ...]


def load(solutions: Path) -> dict[str, Assignment]:
    """Return the assignment of every chapter, by its slug.

    Args:
        solutions: the folder of the master notebooks.

    Raises:
        ValueError: there are none, or one that :func:`read` refuses.
    """
    return {path.stem: read(files.read(path), path.stem) for path in files.masters(solutions)}


def read(master: NotebookNode, chapter: str) -> Assignment:
    """Return the assignment that a master notebook holds.

    Raises:
        ValueError: a cell is not what it must be, or does not tell what the registry of exercises tells.
    """
    agreement.require(master, chapter)
    sources = {(exercise_id(cell), role(cell)): cell.source for cell in master.cells}
    questions = []
    for id in [exercise_id(cell) for cell in master.cells if role(cell) == "statement"]:
        exercise, check = EXERCISES[id], sources.get((id, "check"))
        function = cells.handed_in(check)[1] if check else ""
        rubric = cells.without_dropdowns(sources.get((id, "rubric"), ""))
        machine = exercise.points - exercise.manual_points
        title = cells.title(sources[id, "statement"])
        questions.append(Question(id, title, function, machine, exercise.manual_points, rubric))
    return Assignment(chapter, tuple(questions))


def modules(solutions: Path) -> tuple[str, ...]:
    """Return the modules that students' notebooks import from elsewhere, for a server to have them ready."""
    names = {"numpy", "torch"}
    for path in files.masters(solutions):
        for cell in derive(files.read(path)).cells:
            if cell.cell_type == "code" and role(cell) is None and not cells.is_for_colab(cell):
                for node in ast.walk(cells.parsed(cell.source)):
                    if isinstance(node, ast.Import):
                        names |= {alias.name for alias in node.names}
                    elif isinstance(node, ast.ImportFrom) and node.module:
                        names |= {node.module} | ({f"scipy.{alias.name}" for alias in node.names} & SCIPY)
    return tuple(sorted(name for name in names if not name.startswith("stablenets")))
