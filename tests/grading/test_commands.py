"""The command does what its help says, tells errors in a line, and speaks JSON when asked."""

import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from book_rules import ROOT
from click.testing import CliRunner
from sandboxed import graded_here, needs_bubblewrap
from submissions import answered

from stablenets.grading.commands import main

MASTERS = ["--solutions", str(ROOT / "solutions")]


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize("command", [[], ["student"], ["validate"], ["grade"], ["report"]])
def test_help_is_there_at_once_and_loads_nothing_heavy(command):
    code = (
        "import sys; from stablenets.grading.commands import main\ntry: main()\nfinally: print('torch' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, *command, "--help"], capture_output=True, encoding="utf-8", check=True
    )
    assert said.stdout.startswith("Usage:")
    assert said.stdout.endswith("False\n")


def test_version():
    assert run("--version").output.startswith("stablenets, version ")


def test_student_writes_notebooks_without_solutions(tmp_path):
    done = run("student", "feedback", "--out", tmp_path, *MASTERS)
    assert done.output == f"{tmp_path / 'feedback.ipynb'}\n"
    assert "BEGIN SOLUTION" not in (tmp_path / "feedback.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["student", "nope", *MASTERS], "chapters must be among"),
        (["student", "--solutions", str(ROOT / "tests")], "which has none"),
        (["grade", str(ROOT / "README.md"), *MASTERS], "submissions must be a notebook, a folder or a zip"),
        (["report", str(ROOT / "tests"), *MASTERS], "is missing: grade first"),
    ],
)
def test_errors_are_told_in_a_line(tmp_path, words, said):
    out = ["--out", tmp_path / "out"] if words[0] != "report" else []
    done = run(*words, *out)
    assert done.exit_code == 1
    assert said in done.stderr.splitlines()[-1]


def test_validate_tells_what_is_left_to_do_and_its_status_says_whether_there_is(tmp_path):
    path = tmp_path / "x.ipynb"
    path.write_text(nbformat.writes(answered("feedback")), encoding="utf-8")
    # The open question is answered with the master's words.
    done = run("validate", path)
    assert (done.exit_code, "to be written" in done.output) == (0, False), done.output
    path.write_text("{", encoding="utf-8")
    done = run("validate", path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["ready"] is False


@pytest.fixture(scope="module")
def grade(box):
    """Runs the command that grades in the sandbox of all tests."""

    def grade(submissions, out, *options):
        with graded_here(box):
            return run("grade", submissions, "--out", out, *options, *MASTERS)

    return grade


@pytest.fixture(scope="module")
def graded(grade, tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    with zipfile.ZipFile(folder / "handed-in.zip", "w") as archive:
        archive.writestr("ashann_12_345_initialization.ipynb", nbformat.writes(answered("initialization")))
        archive.writestr("birchbo_LATE_13_346_initialization.ipynb", "{")
    return folder, grade(folder / "handed-in.zip", folder / "results", "--jobs", 1, "--json")


@needs_bubblewrap
def test_class_is_graded_and_reported(graded):
    folder, done = graded
    assert done.exit_code == 0, done.output
    right, broken = json.loads(done.stdout)
    assert (right["student"], right["identifier"], right["points"]) == ("ashann", "12", right["maximum"])
    assert broken["problem"].startswith("the file is not a whole notebook")
    assert "bubblewrap: no network" in done.stderr
    reported = run("report", folder / "results", *MASTERS)
    assert reported.exit_code == 0, reported.output
    found = {path.relative_to(folder / "results").parts[0] for path in (folder / "results").rglob("*")}
    assert found == {"results.sqlite", "overview.html", "manual.html", "manual.csv", "feedback", "gradebook"}
    assert "1 graded, 1 not" in reported.output


@needs_bubblewrap
def test_results_are_not_graded_over_by_accident(grade, graded):
    folder, _ = graded
    done = grade(folder / "handed-in.zip", folder / "results")
    assert done.exit_code == 1
    assert "go on with --resume" in done.stderr


@needs_bubblewrap
def test_resumed_run_grades_only_what_is_new_and_regraded_run_gives_the_same(grade, graded, tmp_path):
    folder, done = graded
    first = json.loads(done.stdout)
    resumed = grade(folder / "handed-in.zip", folder / "results", "--resume", "--json")
    assert json.loads(resumed.stdout) == first
    again = grade(folder / "handed-in.zip", folder / "results", "--regrade", "--json")
    without_time = [[{**row, "seconds": 0} for row in rows] for rows in (json.loads(again.stdout), first)]
    assert without_time[0] == without_time[1]
    (tmp_path / "other.ipynb").write_text("{}", encoding="utf-8")
    more = grade(tmp_path, folder / "results", "--resume")
    assert "kept, though no longer among the submissions: ashann_12" in more.stderr


@needs_bubblewrap
def test_what_was_not_graded_has_no_points_in_json(graded):
    _, broken = json.loads(graded[1].stdout)
    assert (broken["points"], broken["maximum"]) == (None, None)


OPEN = "two-standard-deviations"


@pytest.fixture
def reported(graded, tmp_path):
    """The results in a folder of their own, reported; and what a report says of the one submission, in JSON."""
    results = shutil.copytree(graded[0] / "results", tmp_path / "results")

    def reported():
        rows = json.loads(run("report", results, "--json", *MASTERS).stdout)
        return next(row for row in rows if row["student"] == "ashann")

    return results, reported


def test_report_on_results_of_exercises_that_are_no_more_says_that_they_must_be_graded_again(tmp_path):
    with closing(sqlite3.connect(tmp_path / "results.sqlite")) as base:
        base.executescript(Path(__file__).with_name("results_of_version_1.sql").read_text(encoding="utf-8"))
    done = run("report", tmp_path, *MASTERS)
    assert done.exit_code == 1
    assert "2 submissions graded by other exercises or for other points (first ash/x.ipynb)" in done.stderr
    assert "grade them again with --resume" in done.stderr


@needs_bubblewrap
def test_report_in_json_tells_what_a_person_has_still_to_give(graded, reported):
    machine, row = json.loads(graded[1].stdout)[0]["points"], reported[1]()
    assert (row["points"], row["maximum"], row["waiting"]) == (machine, machine + 2, [OPEN])
    assert row["manual"] == [{"exercise": OPEN, "points": None, "maximum": 2, "comment": ""}]


@needs_bubblewrap
def test_report_in_json_tells_what_a_person_gave(graded, reported):
    machine, (results, report) = json.loads(graded[1].stdout)[0]["points"], reported
    report()
    sheet = results / "manual.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").rstrip()[:-1] + "1.5,nearly\n", encoding="utf-8")
    row = report()
    assert (row["points"], row["maximum"], row["waiting"]) == (machine + 1.5, machine + 2, [])
    assert row["manual"] == [{"exercise": OPEN, "points": 1.5, "maximum": 2, "comment": "nearly"}]


@needs_bubblewrap
def test_report_ends_by_saying_how_many_answers_wait_for_a_mark(reported):
    results, _ = reported
    last = f"1 answer still to be marked in {results / 'manual.csv'}\n"
    assert run("report", results, *MASTERS).output.endswith(last)


@pytest.mark.parametrize(
    ("name", "said"), [("answers.py", "submissions must be a notebook"), ("empty", "no submissions found in ")]
)
def test_nothing_is_made_for_what_is_no_submission(tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "answers.py").write_text("x = 1", encoding="utf-8")
    done = run("grade", tmp_path / name, "--out", tmp_path / "results", *MASTERS)
    assert done.exit_code == 1
    assert said in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("words", [["student"], ["grade", ROOT / "solutions"]])
def test_file_in_place_of_the_folder_to_write_is_told(tmp_path, words):
    (tmp_path / "out").write_text("", encoding="utf-8")
    done = run(*words, "--out", tmp_path / "out", *MASTERS)
    assert done.exit_code == 2
    assert "is a file" in done.stderr


def test_masters_are_those_of_the_clone_where_there_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("student", "feedback", "--out", "out")
    assert done.exit_code == 0, done.output
    (tmp_path / "solutions").mkdir()
    assert "'solutions', which has none" in run("student", "--out", "out").stderr


OWN = dedent("""
    from stablenets.checks.answer import Mistake
    from stablenets.checks.draws import integer
    from stablenets.checks.exercise import Exercise

    DOUBLE = Exercise("double", chapter="midterm", minutes=1)


    @DOUBLE.part("doubles numbers", points=3)
    def doubles(answer, generator):
        x = integer(3, 99, generator)
        if answer(x) != 2 * x:
            raise Mistake(f"double({x}) is not {2 * x}")
""")


@pytest.fixture
def variant(tmp_path):
    """The folder of a master of an instructor's own, and of the file that registers its exercise."""

    def cell(make, part, source):
        return make(source, metadata={"stablenets": {"exercise": "double", "role": part}})

    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    answer = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    master = nbformat.v4.new_notebook(cells=[
        cell(text, "statement", "## Double\n\n{exercise}`double`\n\nWrite `double(x)`."),
        cell(code, "answer", answer),
        cell(code, "check", 'check("double", double)'),
    ])  # fmt: skip
    (tmp_path / "masters").mkdir()
    nbformat.write(master, tmp_path / "masters" / "midterm.ipynb")
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    return tmp_path


@pytest.fixture
def own(variant, registry):
    """Runs the command with an instructor's own exercises."""
    return lambda *words: run(*words, "--solutions", variant / "masters", "--exercises", variant / "own.py")


@needs_bubblewrap
def test_exercises_of_ones_own_are_handed_out_graded_and_reported(variant, own):
    own("student", "--out", variant / "handed-in")
    path = variant / "handed-in" / "midterm.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("...", "return x + x"), encoding="utf-8")
    # In a process of its own, which has to register them itself.
    (row,) = json.loads(own("grade", path, "--out", variant / "results", "--json", "--jobs", 1).stdout)
    assert (row["chapter"], row["points"], row["maximum"]) == ("midterm", 3, 3)
    assert "1 graded, 0 not" in own("report", variant / "results").stdout


def test_master_whose_exercise_is_not_registered_is_told_in_a_line(variant):
    done = run("student", "--solutions", variant / "masters", "--out", variant / "out")
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert "midterm.ipynb, cell 1 (## Double): exercise 'double' is not registered" in line
    assert "--exercises" in line


@pytest.mark.parametrize("words", [["student"], ["student", "--nbgrader"], ["grade", ROOT / "solutions"], ["report"]])
def test_malformed_master_is_told_in_a_line_by_every_command_that_reads_it(variant, own, words):
    path = variant / "masters" / "midterm.ipynb"
    path.write_text(
        path.read_text(encoding="utf-8").replace(r"check(\"double\", double)", r"check(\"double\", answer=double)"),
        encoding="utf-8",
    )
    done = own(*words, *([variant] if words[0] == "report" else ["--out", variant / "out"]))
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert 'midterm.ipynb, cell 3 (check("double", answer=double)): it must call check("id", function)' in line
    assert not (variant / "out").exists()


def test_settings_for_nbgrader_name_the_exercises_of_ones_own(variant, own):
    assert own("student", "--nbgrader", "--out", variant / "course").exit_code == 0
    assert f"exercises={str(variant / 'own.py')!r}" in (variant / "course" / "nbgrader_config.py").read_text(
        encoding="utf-8"
    )
