"""Students' notebooks, made from the masters."""

import copy
import functools

import nbformat
from book_rules import ROOT
from nbformat import NotebookNode

from stablenets.grading.student import derive, role


@functools.cache
def _master(chapter: str) -> NotebookNode:
    return nbformat.read(ROOT / "solutions" / f"{chapter}.ipynb", as_version=4)


def answers(chapter: str) -> dict[str, str]:
    """The source of the right answer to each exercise."""
    return {c.metadata.stablenets.exercise: c.source for c in _master(chapter).cells if role(c) == "answer"}


def blank(chapter: str) -> NotebookNode:
    """As it is handed out."""
    return derive(copy.deepcopy(_master(chapter)))


def answered(chapter: str) -> NotebookNode:
    """With all right answers."""
    made = blank(chapter)
    for cell in made.cells:
        if role(cell) == "answer":
            cell.source = answers(chapter)[cell.metadata.stablenets.exercise]
    return made
