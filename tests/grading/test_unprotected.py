"""Without bubblewrap nothing is graded, unless one asks to run submissions with all one's rights, and is told so."""

import json

import nbformat
import psutil
import pytest
from book_rules import ROOT
from click.testing import CliRunner
from sandboxed import comes, graded_here, runs
from submissions import answered

from stablenets.grading.commands import main
from stablenets.grading.sandbox import bubblewrap
from stablenets.grading.sandbox.session import Session


@pytest.fixture(scope="module")
def open_box():
    with bubblewrap.Sandbox(confined=False) as started:
        yield started


@pytest.fixture
def grade(tmp_path):
    """Grades one right submission by the command; the folder of the results is ``results``."""
    (tmp_path / "handed-in").mkdir()
    (tmp_path / "handed-in" / "ash.ipynb").write_text(nbformat.writes(answered("feedback")), encoding="utf-8")
    words = ["grade", tmp_path / "handed-in", "--out", tmp_path / "results", "--solutions", ROOT / "solutions"]
    return lambda *options: CliRunner().invoke(main, [*map(str, words), *options])


def test_without_bubblewrap_there_is_no_sandbox(monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    with pytest.raises(bubblewrap.SandboxError, match="unsafe-no-sandbox"):
        bubblewrap.Sandbox()


def test_without_a_sandbox_nothing_is_run(grade, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = grade()
    assert done.exit_code == 1
    assert "bubblewrap (the command bwrap) is needed" in done.stderr
    assert not (tmp_path / "results").exists()


def test_unsafe_run_says_that_there_is_no_protection(grade, open_box):
    with graded_here(open_box, confined=False):
        done = grade("--unsafe-no-sandbox", "--jobs", "1", "--json")
    assert "NONE: submissions run with your rights" in done.stderr
    (row,) = json.loads(done.stdout)
    assert row["points"] == row["maximum"] > 0


def test_without_protection_every_process_still_ends(open_box):
    leaves = "import os, time\ndef f():\n    if os.fork() == 0:\n        os.setsid(); time.sleep(300)\n    return 1"
    one = Session(open_box, [leaves])
    assert one.function("f")() == 1
    one.close()
    family = psutil.Process(open_box._server.pid).children
    # The keeper itself lets go of the line a moment before it is gone.
    assert comes(lambda: not any(runs(process.pid) for process in family(recursive=True)))
