"""A master that tells another exercise than the registry is refused: it would misgrade a class in silence."""

import re

import nbformat
import pytest
from book_rules import ROOT

from stablenets.checks.exercise import EXERCISES, Exercise
from stablenets.masters.assignment import load, read
from stablenets.masters.cells import role

TAKEN, OTHER = "double", "drift-detector"


@pytest.fixture
def registered():
    """An exercise of an instructor's own, for the length of a test."""
    made = Exercise(TAKEN, chapter="midterm", minutes=1)
    made.part("doubles numbers", points=3)(lambda answer, generator: None)
    yield
    del EXERCISES[TAKEN]


def variant(**ids):
    """A master of one exercise; by name of a role, the id that the metadata of its cell say."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    answer = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    cells = [
        (text, "statement", "## Double\n\n{exercise}`double`\n\nWrite `double(x)`."),
        (code, "answer", answer),
        (code, "check", 'check("double", double)'),
    ]
    return nbformat.v4.new_notebook(cells=[
        make(source, metadata={"stablenets": {"exercise": ids.get(part, TAKEN), "role": part}})
        for make, part, source in cells
    ])  # fmt: skip


def test_variant_whose_cells_all_tell_the_same_is_read(registered):
    assert [question.points for question in read(variant(), "midterm").questions] == [3]


@pytest.mark.parametrize(("part", "cell"), [("statement", r"cell 1 \(## Double\)"), ("check", "cell 3 .*")])
def test_id_in_hidden_metadata_that_differs_from_the_one_in_the_source_is_refused(registered, part, cell):
    told = f"^midterm.ipynb, {cell}: its metadata say exercise 'drift-detector' and its source says 'double'"
    with pytest.raises(ValueError, match=told):
        read(variant(**{part: OTHER}), "midterm")


def test_exercise_of_another_chapter_than_the_name_of_the_file_is_refused(registered):
    told = r"exam.ipynb, cell 1 .*: exercise 'double' belongs to chapter 'midterm'.* midterm\.ipynb$"
    with pytest.raises(ValueError, match=told):
        read(variant(), "exam")


@pytest.mark.parametrize("part", ["statement", "answer", "check"])
def test_exercise_of_the_chapter_without_one_of_its_cells_is_refused(registered, part):
    master = variant()
    master.cells = [cell for cell in master.cells if role(cell) != part]
    with pytest.raises(ValueError, match=f"^midterm.ipynb, exercise 'double': there is no cell .* its {part}$"):
        read(master, "midterm")


def test_exercise_that_nobody_registered_is_told_with_the_way_to_do_it():
    with pytest.raises(ValueError, match=r"^midterm.ipynb, cell 1 .*'double' is not registered.*--exercises"):
        read(variant(), "midterm")


def changed(part, source=None, **own):
    """The master with one cell changed: its source, or what its metadata say of it (None: not stated)."""
    master = variant()
    (cell,) = (cell for cell in master.cells if role(cell) == part)
    cell.source = cell.source if source is None else source
    cell.metadata["stablenets"] |= own
    cell.metadata["stablenets"] = {name: value for name, value in cell.metadata["stablenets"].items() if value}
    return master


def without_metadata(part):
    master = variant()
    (cell,) = (cell for cell in master.cells if role(cell) == part)
    cell.metadata = {}
    return master


def with_other_metadata(part):
    master = variant()
    (cell,) = (cell for cell in master.cells if role(cell) == part)
    cell.metadata["stablenets"] = "double"
    return master


def of_another_type(part):
    master = variant()
    (cell,) = (cell for cell in master.cells if role(cell) == part)
    cell.cell_type = "raw"
    return master


def twice(part):
    master = variant()
    master.cells += [cell for cell in master.cells if role(cell) == part]
    return master


# Each with the first words of the cell that is at fault, and the fault.
MALFORMED = {
    "statement without a title": (
        changed("statement", "Double\n\n{exercise}`double`"),
        r"cell 1 (Double): a statement must have its title in a line that begins with ##",
    ),
    "answer by keyword": (
        changed("check", 'check("double", answer=double)'),
        'cell 3 (check("double", answer=double)): it must call check("id", function), with the name of a function, got '
        "check('double', answer=double)",
    ),
    "lambda": (
        changed("check", 'check("double", lambda x: 2 * x)'),
        'cell 3 (check("double", lambda x: 2 * x)): it must call check("id", function), with the name of a function, '
        "got check('double', lambda x: 2 * x)",
    ),
    "error of syntax": (
        changed("answer", "def double(x):\n    return 2 *"),
        "cell 2 (def double(x):): its code is not Python: invalid syntax, in line 2",
    ),
    "no call of a check": (
        changed("check", "double(2)"),
        'cell 3 (double(2)): it must call check("id", function) once, and does so 0 times',
    ),
    "two calls of a check": (
        changed("check", 'check("double", double)\ncheck("double", double)'),
        'cell 3 (check("double", double)): it must call check("id", function) once, and does so 2 times',
    ),
    "function that nobody defines": (
        changed("check", 'check("double", duoble)'),
        "cell 3 (check(\"double\", duoble)): no cell of its answer defines 'duoble'",
    ),
    "two check cells": (
        twice("check"),
        "cell 4 (check(\"double\", double)): it is a second check of exercise 'double'",
    ),
    "two answers": (
        twice("answer"),
        "cell 4 (def double(x):): it is a second answer of exercise 'double'",
    ),
    "unknown role": (
        changed("check", role="chek"),
        'cell 3 (check("double", double)): its metadata must name its role, one of statement, hint, answer, check, '
        "wrong, alternative, discussion, rubric, got 'chek'",
    ),
    "no role": (
        changed("answer", role=None),
        "cell 2 (def double(x):): its metadata must name its role, one of statement, hint, answer, check, wrong, "
        "alternative, discussion, rubric, got None",
    ),
    "no exercise": (
        changed("answer", exercise=None),
        "cell 2 (def double(x):): its metadata must name its exercise, got None",
    ),
    "number for an exercise": (
        changed("answer", exercise=7),
        "cell 2 (def double(x):): its metadata must name its exercise, got 7",
    ),
    "metadata of another kind": (
        with_other_metadata("answer"),
        "cell 2 (def double(x):): its metadata must name its exercise, got None",
    ),
    "solution without metadata": (
        without_metadata("answer"),
        "cell 2 (def double(x):): it marks a solution, and its metadata lack 'stablenets', with exercise and role",
    ),
    "check without metadata": (
        without_metadata("check"),
        "cell 3 (check(\"double\", double)): it names exercise 'double', and its metadata lack 'stablenets', "
        "with exercise and role",
    ),
    "answer without a marked solution": (
        changed("answer", "def double(x):\n    return 2 * x"),
        "cell 2 (def double(x):): an answer must mark exactly one solution, found 0",
    ),
    "check that is no code": (
        of_another_type("check"),
        "cell 3 (check(\"double\", double)): it is the check of exercise 'double', and so must be a cell of code, "
        "got raw",
    ),
    "statement that is no Markdown": (
        of_another_type("statement"),
        "cell 1 (## Double): it is the statement of exercise 'double', and so must be a cell of Markdown, got raw",
    ),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_master_is_refused_in_a_line_that_names_file_cell_and_fault(registered, kind):
    master, fault = MALFORMED[kind]
    with pytest.raises(ValueError, match=f"^{re.escape(f'midterm.ipynb, {fault}')}$"):
        read(master, "midterm")


def test_open_question_with_a_check_is_refused():
    Exercise(TAKEN, chapter="midterm", minutes=1, manual_points=2)
    try:
        with pytest.raises(ValueError, match=r"cell 3 \(.*\): an open question has no check: a person marks it$"):
            read(variant(), "midterm")
    finally:
        del EXERCISES[TAKEN]


def test_master_without_any_exercise_is_refused():
    with pytest.raises(ValueError, match=r"^midterm.ipynb, which has no exercise: no cell's metadata name one$"):
        read(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Midterm")]), "midterm")


def test_magics_of_notebooks_are_no_error_of_syntax(registered):
    master = variant()
    master.cells.insert(0, nbformat.v4.new_code_cell("%matplotlib inline\n!ls\nimport math"))
    assert read(master, "midterm").questions


def test_masters_of_the_course_agree_with_the_registry():
    assert len(load(ROOT / "solutions")) == len({one.chapter for one in EXERCISES.values()})


def test_master_that_is_no_notebook_is_told_by_its_name(tmp_path):
    (tmp_path / "midterm.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"midterm\.ipynb is not a notebook: "):
        load(tmp_path)
