"""What there is to grade: read from the master notebooks, in which each exercise is written once."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from stablenets.book.notebooks import COLAB_TAG
from stablenets.checks.exercise import EXERCISES
from stablenets.grading import agreement
from stablenets.grading.records import Assignment, Outcome, Question
from stablenets.grading.student import DROPDOWN, derive, function, masters, opened, role


def load(solutions: Path) -> dict[str, Assignment]:
    """Return the assignment of every chapter, by its slug.

    Args:
        solutions: the folder of the master notebooks.

    Raises:
        ValueError: there are none, or one that :func:`read` refuses.
    """
    return {path.stem: read(opened(path), path.stem) for path in masters(solutions)}


def read(master: NotebookNode, chapter: str) -> Assignment:
    """Return the assignment that a master notebook holds.

    Raises:
        ValueError: its cells do not tell what the registry of exercises tells.
    """
    agreement.require(master, chapter)
    questions = []
    for cell in master.cells:
        if role(cell) != "statement":
            continue
        id = cell.metadata.stablenets.exercise
        exercise = EXERCISES[id]
        own = [c for c in master.cells if c.metadata.get("stablenets", {}).get("exercise") == id]
        title = re.search(r"^## (.+)$", cell.source, re.MULTILINE)[1]
        asked = next((function(c.source) for c in own if role(c) == "check"), "")
        rubric = next((DROPDOWN.sub(r"\2", c.source) for c in own if role(c) == "rubric"), "")
        machine = exercise.points - exercise.manual_points
        questions.append(Question(id, title, asked, machine, exercise.manual_points, rubric))
    return Assignment(chapter, tuple(questions))


def outdated(outcomes: Iterable[Outcome], assignments: Mapping[str, Assignment]) -> list[str]:
    """Return the keys of what was graded by other exercises, or for other points, than these."""
    asked = {name: {q.exercise: q.points for q in each.questions if q.points} for name, each in assignments.items()}
    return [
        outcome.key for outcome in outcomes if not outcome.problem and _points(outcome) != asked.get(outcome.chapter)
    ]


def _points(outcome: Outcome) -> dict[str, int]:
    points = Counter[str]()
    for part in outcome.parts:
        points[part.exercise] += part.maximum
    return dict(points)


def modules(solutions: Path) -> tuple[str, ...]:
    """Return the modules that students' notebooks import from elsewhere, for a server to have them ready."""
    found = {"numpy", "torch"}
    for path in masters(solutions):
        for cell in derive(opened(path)).cells:
            if cell.cell_type == "code" and role(cell) is None and COLAB_TAG not in cell.metadata.get("tags", []):
                for node in ast.walk(ast.parse(cell.source)):
                    if isinstance(node, ast.Import):
                        found |= {alias.name for alias in node.names}
                    elif isinstance(node, ast.ImportFrom):
                        found |= {node.module} | ({f"scipy.{a.name}" for a in node.names} & _SCIPY)
    return tuple(sorted(name for name in found if not name.startswith("stablenets")))


# Parts of scipy that are modules of their own.
_SCIPY = {"scipy.optimize", "scipy.special", "scipy.stats"}
