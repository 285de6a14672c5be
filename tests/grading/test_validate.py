"""A student learns before handing in what a grader would meet, without the masters."""

import json
import sys

import nbformat
import pytest
from book_rules import SOLUTIONS, name
from nbformat.v4 import new_code_cell, new_markdown_cell
from sandboxed import PatientClient, assignments
from submissions import answered, blank

from stablenets.checks.exercise import EXERCISES
from stablenets.grading import notebook
from stablenets.grading.intake import LARGEST
from stablenets.grading.student import derive, role
from stablenets.grading.validate import _asked, _functions, _unchecked, validate

CHAPTER, OPEN = "symmetry-breaking", "useful-symmetry"
CODED = [one.id for one in EXERCISES.values() if one.chapter == CHAPTER and one.parts]


def answer_cell(made, exercise):
    return next(c for c in made.cells if role(c) == "answer" and c.metadata.stablenets.exercise == exercise)


@pytest.fixture
def ask(tmp_path):
    def ask(made, **seconds):
        path = tmp_path / "mine.ipynb"
        path.write_bytes(made if isinstance(made, bytes) else nbformat.writes(made).encode())
        return validate(path, **seconds)

    return ask


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """What is said of a notebook in which much went wrong, in one run of it."""
    made, path = answered(CHAPTER), tmp_path_factory.mktemp("mixed") / "mine.ipynb"
    answer_cell(made, "exact-ties").source = "def exact_descent(*arguments):\n    print('noise')\n    return 1.0"
    answer_cell(made, "one-unit-network").source = "def one_unit_network(*arguments):\n    ..."
    answer_cell(made, "cure-table").source = "distinct_units = 3"
    answer_cell(made, "other-symmetries").source = "same = 1"
    answer_cell(made, "equal-weights").source = "def end_of_descent(*arguments):\n    while True:\n        pass"
    answer_cell(made, OPEN).source = ""
    made.cells = [cell for cell in made.cells if role(cell) != "check"]
    made.cells[2:2] = [new_code_cell(source) for source in (
        "1 / 0", "", "%time x = 1\n!false", "while True:\n    pass", "raise ValueError('\\x1b[31m' + 'a\\n' * 10**4)",
        "import os\nos.path.exists('mine.ipynb') or 1 / 0",
    )]  # fmt: skip
    made.cells.append(new_code_cell("from stablenets import activations, init\nimport stablenets.meanfield as m"))
    path.write_bytes(nbformat.writes(made).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PatientClient, "hanging", (*PatientClient.hanging, "publish('equal-weights'"))
        return validate(path, cell_seconds=2)


def said(found, exercise):
    return next(answer for answer in found.answers if answer.exercise == exercise)


def test_right_answers_are_ready(ask):
    found = ask(answered(CHAPTER))
    assert found.ready
    assert [answer.exercise for answer in found.answers] == [*CODED, OPEN]
    assert all(part.points == part.maximum for answer in found.answers for part in answer.parts)
    assert (found.errors, found.notes, found.problem) == ((), (), "")
    assert "answered; a person will mark it" in str(found)
    assert str(found).splitlines()[-1].startswith("Ready to hand in.")


def test_blank_notebook_is_told_what_is_to_be_written(ask):
    found = ask(blank(CHAPTER))
    assert not found.ready
    assert found.errors == ()
    assert all("still to be written" in said(found, exercise).missing for exercise in CODED)
    assert said(found, OPEN).missing == "the open question has no answer in words yet"
    assert str(found).splitlines()[-1].startswith("Not ready to hand in.")


@pytest.mark.parametrize(
    ("exercise", "missing"),
    [
        ("one-unit-network", "the function one_unit_network returns nothing: it is still to be written"),
        ("cure-table", "distinct_units must be a function, got int"),
        ("other-symmetries", "the notebook defines no function same_function"),
        ("equal-weights", "its check took longer than 2 seconds"),
        (OPEN, "the open question has no answer in words yet"),
    ],
)
def test_what_is_missing_is_named(mixed, exercise, missing):
    assert said(mixed, exercise).missing == missing


def test_wrong_answer_is_told_its_mistake_though_it_prints(mixed):
    wrong = said(mixed, "exact-ties")
    assert wrong.missing == ""
    assert any(part.message for part in wrong.parts)
    assert f"✗ {wrong.parts[0].name}" in str(mixed)


def test_checks_go_on_after_one_that_did_not_end_and_need_no_check_cells(mixed):
    assert said(mixed, "balancedness").parts
    assert any("check cells are missing" in note for note in mixed.notes)


def test_cells_that_cannot_work_are_named_in_a_line_each(mixed):
    imports, errors = mixed.errors[:2], mixed.errors[2:]
    assert imports == tuple(
        f"stablenets.{name} is imported, but is not there when graded" for name in ("init", "meanfield")
    )
    assert errors[0] == "code cell 1 (1 / 0) raised ZeroDivisionError: division by zero"
    assert errors[1] == "code cell 3 (while True:) took longer than 2 seconds"
    assert errors[2].startswith("code cell 4 (raise ValueError(")
    assert len(errors) == 3
    assert all(len(error) < 700 and error.isprintable() for error in errors)


def test_result_is_plain_json(mixed):
    data = json.loads(json.dumps(mixed.as_dict()))
    assert data["ready"] is False
    assert data["chapter"] == CHAPTER
    assert [answer["exercise"] for answer in data["answers"]] == [*CODED, OPEN]
    assert {"name", "points", "maximum", "message"} == data["answers"][0]["parts"][0].keys()


def test_end_of_the_kernel_is_told(ask):
    made = answered(CHAPTER)
    made.cells.insert(0, new_code_cell("import os\nos._exit(1)"))
    found = ask(made)
    assert not found.ready
    assert "the kernel ended at code cell" in found.errors[0]
    assert all(said(found, exercise).missing == "its check was not run" for exercise in CODED)
    assert said(found, OPEN).missing == ""


def test_lost_metadata_are_made_up_for_by_the_cells_that_check(ask):
    made = answered(CHAPTER)
    made.metadata = {}
    made.cells = [c for c in made.cells if role(c) is None or c.metadata.stablenets.exercise == "exact-ties"]
    found = ask(made)
    assert said(found, "exact-ties").parts
    assert said(found, "cure-table").missing.startswith("the notebook does not tell its function: the cell check(")


@pytest.mark.parametrize(("text", "is_answer"), [("", False), ("```\nx = 1\n```", False), ("```\n1\n```\nAs.", True)])
def test_code_alone_does_not_answer_an_open_question(text, is_answer):
    assert (_unchecked(OPEN, text).missing == "") == is_answer


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"{", "not a whole notebook"),
        (b"[]", "does not say its format"),
        (b'{"nbformat": 4, "metadata": {"stablenets": {"functions": [7]}}, "cells": [{}]}', "answers no exercise"),
        (b"[" * (LARGEST + 1), "larger than 10 MiB; clear its outputs"),
    ],
)
def test_what_a_grader_would_not_take_is_not_run(ask, content, problem):
    found = ask(content)
    assert problem in found.problem
    assert not found.ready
    assert str(found) == f"This notebook cannot be graded: {found.problem}."


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_metadata_tell_what_the_masters_tell(path):
    content = nbformat.writes(derive(nbformat.read(path, as_version=4))).encode()
    known = assignments()[path.stem].questions
    functions = _functions(json.loads(content))
    assert functions == {question.exercise: question.function for question in known if question.function}
    assert notebook.read(content, _asked(functions)).chapter == path.stem


def own(source="def double(x):\n    return 2 * x"):
    """A notebook of an instructor's own exercises, which nobody registered here."""
    made = answered(CHAPTER)
    made.metadata["stablenets"] = {"chapter": "midterm", "functions": {"double": "double"}}
    made.cells = [
        new_code_cell(source, metadata={"stablenets": {"exercise": "double", "role": "answer"}}),
        new_code_cell("double", metadata={"stablenets": {"exercise": "double", "role": "check"}}),
        new_markdown_cell("Because.", metadata={"stablenets": {"exercise": "why", "role": "answer"}}),
    ]
    return made


def test_exercise_that_is_not_known_here_is_said_to_be_checked_when_graded(ask):
    found = ask(own())
    assert found.ready
    assert "– double: this exercise is not known here; it is checked when the notebook is graded" in str(found)
    assert (found.chapter, found.notes) == ("midterm", ())


def test_function_that_an_exercise_not_known_here_asks_for_is_missed(ask):
    assert said(ask(own("x = 1")), "double").missing == "the notebook defines no function double"


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        validate(tmp_path / "gone.ipynb")


@pytest.mark.parametrize("library", ["nbclient", "ipykernel"])
def test_library_that_is_not_installed_is_named_with_the_way_to_get_it(library, ask, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"needs {library}: pip install 'stablenets\[grade\]'"):
        ask(b"")
