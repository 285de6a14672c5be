"""What a learner does: open the student notebook, answer one exercise, run its check, and read the message."""

import nbformat
import pytest
from book_rules import ROOT

from stablenets.book.notebooks import execute
from stablenets.masters.cells import role
from stablenets.masters.student_notebook import derive

EXERCISE = "uniform-bound"


@pytest.fixture(scope="module")
def notebook():
    return derive(nbformat.read(ROOT / "solutions" / "initialization.ipynb", as_version=4))


def said(notebook, answer, tmp_path):
    """Write an answer into the notebook, run it up to its check, and return what the check shows."""
    tried = nbformat.from_dict(notebook)
    tried.cells = [
        cell
        for cell in tried.cells
        if cell.cell_type == "code" and cell.metadata.get("stablenets", {}).get("exercise") in (None, EXERCISE)
    ]
    for cell in tried.cells:
        if role(cell) == "answer" and answer is not None:
            cell.source = cell.source.replace("...", answer)
    last = execute(tried, tmp_path).cells[-1]
    assert role(last) == "check"
    return last.outputs[0]["data"]["text/plain"]


def test_untouched_exercise_says_that_it_is_not_answered_yet(notebook, tmp_path):
    assert "not answered yet?" in said(notebook, None, tmp_path)


def test_mistake_is_named(notebook, tmp_path):
    assert "that is the width of the interval, twice the bound" in said(
        notebook, "return 2 * math.sqrt(3 * variance)", tmp_path
    )


def test_right_answer_gets_all_points(notebook, tmp_path):
    assert said(notebook, "return math.sqrt(3 * variance)", tmp_path).startswith("✓ uniform-bound: 2 of 2 points")
