"""A master that tells another exercise than the registry is refused: it would misgrade a class in silence."""

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


def test_masters_of_the_course_agree_with_the_registry():
    assert len(load(ROOT / "solutions")) == len({one.chapter for one in EXERCISES.values()})


def test_master_that_is_no_notebook_is_told_by_its_name(tmp_path):
    (tmp_path / "midterm.ipynb").write_text("{")
    with pytest.raises(ValueError, match=r"midterm\.ipynb is not a notebook: "):
        load(tmp_path)
