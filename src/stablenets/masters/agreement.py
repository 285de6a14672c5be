"""What a master notebook must be: its cells whole, and telling what the registry of exercises tells.

Where they differ a class would be misgraded, or students would be handed a solution.
"""

import ast
from collections import Counter
from collections.abc import Iterator

from nbformat import NotebookNode

from stablenets.checks.exercise import EXERCISES
from stablenets.masters.cells import (
    KEY,
    MARK,
    NAMED_IN_CODE,
    NAMED_IN_TEXT,
    ROLES,
    exercise_id,
    handed_in,
    parsed,
    role,
    title,
    without_solution,
)

IN_CODE = ("check", "wrong", "alternative")
IN_WORDS = ("statement", "hint", "discussion", "rubric")
ONCE = ("statement", "answer", "check", "rubric")


def require(master: NotebookNode, chapter: str) -> None:
    """Require that every cell is what its role asks, tells one exercise of this chapter, and that none is missing.

    Args:
        master: the notebook.
        chapter: name of its file, without ``.ipynb``.

    Raises:
        ValueError: in a line that names the file, the cell with its first words, and the fault.
    """
    for fault in _faults(master, chapter):
        raise ValueError(f"{chapter}.ipynb, {fault}")


def _faults(master: NotebookNode, chapter: str) -> Iterator[str]:
    count = Counter[tuple[str, str]]()
    for number, cell in enumerate(master.cells, 1):
        where = f"cell {number} ({_first_words(cell.source)})"
        for fault in _faults_of_cell(cell, chapter):
            yield f"{where}: {fault}"
        of_role = exercise_id(cell), role(cell)
        count[of_role] += 1
        if of_role[1] in ONCE and count[of_role] > 1:
            yield f"{where}: it is a second {of_role[1]} of exercise {of_role[0]!r}"
    yield from _missing(chapter, count)
    for number, cell in enumerate(master.cells, 1):
        if role(cell) == "check" and (name := handed_in(cell.source)[1]) not in _names(master, exercise_id(cell)):
            yield f"cell {number} ({_first_words(cell.source)}): no cell of its answer defines {name!r}"


def _missing(chapter: str, count: Counter[tuple[str, str]]) -> Iterator[str]:
    exercises = [exercise for exercise in EXERCISES.values() if exercise.chapter == chapter]
    if not exercises:
        yield "which has no exercise: no cell's metadata name one"
    for exercise in exercises:
        for needed in ("statement", "answer", *(["check"] if exercise.parts else [])):
            if not count[exercise.id, needed]:
                yield f"exercise {exercise.id!r}: there is no cell whose metadata say that it is its {needed}"


def _faults_of_cell(cell: NotebookNode, chapter: str) -> Iterator[str]:
    """Each test may rely on those before it: the first fault is the one that is told."""
    code = cell.cell_type == "code"
    if code:
        try:
            parsed(cell.source)
        except SyntaxError as error:
            yield f"its code is not Python: {error.msg}, in line {error.lineno}"
    named = (NAMED_IN_CODE if code else NAMED_IN_TEXT).findall(cell.source)
    if KEY not in cell.metadata:
        if named or MARK.search(cell.source):
            what = f"names exercise {named[0]!r}" if named else "marks a solution"
            yield f"it {what}, and its metadata lack {KEY!r}, with exercise and role"
        return
    id, kind = exercise_id(cell), role(cell)
    if not isinstance(id, str):
        yield f"its metadata must name its exercise, got {id!r}"
    if kind not in ROLES:
        yield f"its metadata must name its role, one of {', '.join(ROLES)}, got {kind!r}"
    # A copied cell keeps its metadata, which notebook programs do not show.
    for other in named:
        if other != id:
            yield f"its metadata say exercise {id!r} and its source says {other!r}; make them the same"
    if id not in EXERCISES:
        yield f"exercise {id!r} is not registered; name the Python file that does it with --exercises"
    exercise = EXERCISES[id]
    if exercise.chapter != chapter:
        yield f"exercise {id!r} belongs to chapter {exercise.chapter!r}, whose master is {exercise.chapter}.ipynb"
    if (kind in IN_CODE or (kind == "answer" and exercise.parts)) and not code:
        yield f"it is the {kind} of exercise {id!r}, and so must be a cell of code, got {cell.cell_type}"
    if (kind in IN_WORDS or kind == "answer") and not (cell.cell_type == "markdown" or (kind == "answer" and code)):
        yield f"it is the {kind} of exercise {id!r}, and so must be a cell of Markdown, got {cell.cell_type}"
    yield from _faults_of_source(cell.source, kind, bool(exercise.parts), code)


def _faults_of_source(source: str, kind: str, has_parts: bool, code: bool) -> Iterator[str]:
    if kind == "statement" and title(source) is None:
        yield "a statement must have its title in a line that begins with ##"
    if kind == "check":
        if not has_parts:
            yield "an open question has no check: a person marks it"
        try:
            handed_in(source)
        except ValueError as error:
            yield str(error)
    if kind == "answer" and code:
        try:
            without_solution(source)
        except ValueError as error:
            yield str(error).partition(" in:\n")[0]


def _names(master: NotebookNode, id: str) -> set[str]:
    """Return the names that the cells of an answer, and those that all exercises share, give to something."""
    names = set()
    for cell in master.cells:
        if cell.cell_type == "code" and (role(cell) is None or (exercise_id(cell), role(cell)) == (id, "answer")):
            for node in ast.walk(parsed(cell.source)):
                match node:
                    case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                        names.add(name)
                    case ast.alias():
                        names.add(node.asname or node.name)
    return names


def _first_words(source: str, longest: int = 40) -> str:
    words = source.strip().partition("\n")[0]
    return words if len(words) <= longest else f"{words[:longest].rstrip()} …"
