"""nbgrader, with our execution in it, marks fairly, leaves open questions to a person, and shows no script."""

import json
import os
import select
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from book_rules import ROOT
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell
from sandboxed import PATIENCE, asked, needs_bubblewrap
from submissions import answers
from submissions import blank as handed_out

from stablenets.grading import nbgrader_course
from stablenets.grading.commands import main

pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install 'stablenets[nbgrader]'")
pytestmark = needs_bubblewrap
CHAPTER, OPEN = "initialization", "two-standard-deviations"
MACHINE = sum(question.points for question in asked(CHAPTER).questions)
# Everything is imported once; each command then has a process of its own, as from a shell.
COMMANDS = """
import json, os, sys
from nbgrader.apps import NbGraderApp
import stablenets.grading.nbgrader_plugin

for line in sys.stdin:
    folder, words = json.loads(line)
    if os.fork() == 0:
        os.chdir(folder)
        os.environ.update(HOME=folder, JUPYTER_CONFIG_DIR=folder)
        NbGraderApp.launch_instance(words)
        sys.exit()
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.fixture(scope="module")
def nbgrader(tmp_path_factory):
    """Runs a command of nbgrader in the folder of a course."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader starts alembic by name
    said = tmp_path_factory.mktemp("nbgrader") / "said"
    with open(said, "w", encoding="utf-8") as errors, subprocess.Popen(
        [sys.executable, "-c", COMMANDS],
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8", bufsize=1,
    ) as process:  # fmt: skip

        def nbgrader(course, *words):
            process.stdin.write(json.dumps([str(course), words]) + "\n")
            assert select.select([process.stdout], [], [], PATIENCE)[0], "it hangs"
            assert process.stdout.readline() == "0\n", said.read_text(encoding="utf-8")

        yield nbgrader


def ids(notebook):
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}


def right(notebook):
    for exercise, source in answers(CHAPTER).items():
        ids(notebook)[f"{exercise}-answer"].source = source


def blank(notebook):
    """Nothing is answered."""


def forged(notebook):
    """Outputs, points and checks are not what they were; the answer to the open question attacks the reader."""
    for name, cell in ids(notebook).items():
        if name.endswith("-check"):
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "100"})]
            cell.source, cell.metadata.nbgrader.points = "100", 100
    links = "[x](javascript:alert(1)) [y]\n\n[y]: javascript:alert(1)"
    answer = f"<script>alert(1)</script> <img src=x onerror=alert(1)> {links}"
    ids(notebook)[f"{OPEN}-answer"].source = answer
    attack = "import os, IPython.display as d\nd.display(d.HTML('<script>alert(2)</script>'))\nos._exit(0)"
    notebook.cells.insert(2, new_code_cell(attack))
    notebook.cells.insert(3, new_markdown_cell("<iframe src='//example.org'></iframe>"))


def torn(notebook):
    """Check cells are missing or there twice, and metadata are of any kind; the answers are right."""
    right(notebook)
    checks = [cell for name, cell in ids(notebook).items() if name.endswith("-check")]
    notebook.cells.remove(checks[0])
    notebook.cells += [checks[1], new_code_cell("1", metadata={"nbgrader": {"schema_version": 99, "grade_id": "x"}})]
    notebook.cells[0].metadata["nbgrader"] = 7


STUDENTS = {"right": right, "blank": blank, "forged": forged, "torn": torn}


@pytest.fixture(scope="module")
def course(nbgrader, tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    list(nbgrader_course.write_all(ROOT / "solutions", folder, [CHAPTER]))
    nbgrader(folder, "generate_assignment", CHAPTER)
    for student, change in STUDENTS.items():
        notebook = nbformat.read(folder / "release" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
        change(notebook)
        to = folder / "submitted" / student / CHAPTER
        to.mkdir(parents=True)
        (to / f"{CHAPTER}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    nbgrader(folder, "autograde", CHAPTER)
    return folder


def test_released_notebook_has_no_solution(course):
    text = (course / "release" / CHAPTER / f"{CHAPTER}.ipynb").read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in text
    released = nbformat.reads(text, as_version=4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in handed_out(CHAPTER).cells]


def points(course):
    """(id of the cell, automatic points, maximum, whether a person must mark) of every student's cells."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {
            row.student.id: [
                (g.name, g.auto_score, g.max_score, g.needs_manual_grade) for n in row.notebooks for g in n.grades
            ]
            for row in book.assignment_submissions(CHAPTER)
        }


def total(rows):
    return sum(score or 0 for _, score, _, _ in rows)


@pytest.mark.filterwarnings("ignore")
def test_marks_are_those_of_the_trusted_checks(course):
    found = points(course)
    assert {student: total(rows) for student, rows in found.items()} == {
        "right": MACHINE, "blank": 0, "forged": 0, "torn": MACHINE,
    }  # fmt: skip
    assert sum(most for _, _, most, _ in found["forged"]) == MACHINE + 2


@pytest.mark.filterwarnings("ignore")
def test_open_questions_are_left_to_a_person(course):
    waiting = {student: [name for name, _, _, manual in rows if manual] for student, rows in points(course).items()}
    assert waiting == {
        "right": [f"{OPEN}-answer"],
        "forged": [f"{OPEN}-answer"],
        "torn": [f"{OPEN}-answer"],
        "blank": [],
    }


@pytest.mark.filterwarnings("ignore")
def test_regraded_submissions_get_the_same_marks(nbgrader, course):
    before = points(course)
    nbgrader(course, "autograde", CHAPTER, "--force")
    assert points(course) == before
    assert (course / "stablenets-secret").stat().st_mode & 0o777 == 0o600


class Markup(HTMLParser):
    """Scripts, handlers and addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found += [
            (tag, name, value) for name, value in attributes if name.startswith("on") or name in ("src", "href")
        ]
        self.found += [(tag, "", "")] if tag in ("iframe", "object", "embed") else []

    def handle_data(self, data):
        self.text += data


def test_feedback_names_the_mistakes_and_runs_nothing_of_the_student(nbgrader, course):
    nbgrader(course, "generate_feedback", CHAPTER)
    pages = {
        s: Markup((course / "feedback" / s / CHAPTER / f"{CHAPTER}.html").read_text(encoding="utf-8")) for s in STUDENTS
    }
    assert "not answered yet" in pages["blank"].text
    assert "alert(1)" in pages["forged"].text, "the answer is shown as text"
    for tag, name, value in pages["forged"].found:
        assert tag != "iframe"
        assert not name.startswith("on")
        assert not (value or "").strip().lower().startswith("javascript:")
        assert "example.org" not in (value or "")
    of_nbgrader = [item for item in pages["blank"].found if item[0] == "script"]
    assert [item for item in pages["forged"].found if item[0] == "script"] == of_nbgrader


OWN = """
from stablenets.checks.answer import Mistake
from stablenets.checks.exercise import Exercise

DOUBLE = Exercise("double", chapter="midterm", minutes=1)


@DOUBLE.part("doubles a number", points=3)
def doubles(answer, generator):
    if answer(4) != 8:
        raise Mistake("double(4) is not 8")
"""
CELLS = [
    (new_markdown_cell, "statement", "## Double\n\n{exercise}`double`"),
    (new_code_cell, "answer", "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"),
    (new_code_cell, "check", 'check("double", double)'),
]


@pytest.mark.filterwarnings("ignore")
def test_exercises_of_ones_own_are_marked(nbgrader, registry, tmp_path, monkeypatch):
    from nbgrader.api import Gradebook

    (tmp_path / "masters").mkdir()
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    cells = [
        make(source, metadata={"stablenets": {"exercise": "double", "role": part}}) for make, part, source in CELLS
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "masters" / "midterm.ipynb")
    monkeypatch.chdir(tmp_path)
    options = ["--solutions", "masters", "--exercises", "own.py", "--out", "course"]
    assert CliRunner().invoke(main, ["student", "--nbgrader", *options]).exit_code == 0
    handed_in = tmp_path / "course" / "submitted" / "ash" / "midterm"
    handed_in.mkdir(parents=True)
    source = (tmp_path / "course" / "source" / "midterm" / "midterm.ipynb").read_text(encoding="utf-8")
    (handed_in / "midterm.ipynb").write_text(source.replace("...", "return x + x"), encoding="utf-8")
    for step in ("generate_assignment", "autograde"):
        nbgrader(tmp_path / "course", step, "midterm")
    with Gradebook(f"sqlite:///{tmp_path / 'course' / 'gradebook.db'}") as book:
        assert [row.score for row in book.assignment_submissions("midterm")] == [3]
