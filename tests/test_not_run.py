"""No test is passed over in silence."""

import os
import subprocess
import sys

import pytest
from book_rules import ROOT

TESTS = """
import pytest

def test_runs():
    pass

@pytest.mark.skipif(True, reason="no such program here: make system")
@pytest.mark.parametrize("x", [1, 2])
def test_needs_a_program(x):
    pass

def test_needs_a_library():
    pytest.importorskip("no_such_library", reason="no_such_library: pip install it")
"""


@pytest.fixture
def folder(tmp_path):
    """A folder of tests with the plugin of ours, which notes what it has skipped below that folder."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "not_run.py").write_text(
        (ROOT / "tests" / "not_run.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (tmp_path / "conftest.py").write_text("pytest_plugins = ['not_run']\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = tests\n", encoding="utf-8")
    (tmp_path / "tests" / "test_some.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "tests" / "test_file.py").write_text(
        "import pytest\npytest.importorskip('gone', reason='gone: bring it')\n", encoding="utf-8"
    )
    return tmp_path


def python(folder, *words, strict=""):
    environment = {**os.environ, "STRICT": strict, "PYTEST_ADDOPTS": ""}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, encoding="utf-8")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_was_skipped_is_told_at_the_end_with_reason_and_count(folder, workers):
    done = python(folder, "-m", "pytest", "-n", workers)
    assert done.returncode == 0
    assert "1 passed, 4 skipped" in done.stdout or workers == "2"
    said = python(folder, "tests/not_run.py").stdout.splitlines()
    assert said[0].startswith("Not run here (4), why, and what brings it")
    assert said[1] == "     2  no such program here: make system"
    assert sorted(said[2:]) == ["     1  gone: bring it", "     1  no_such_library: pip install it"]
    assert said[1] in done.stdout


def test_nothing_may_be_skipped_where_strict_is_set(folder):
    done = python(folder, "-m", "pytest", "-n", "0", strict="1")
    assert done.returncode != 0
    assert "not run, and STRICT is set: gone: bring it" in done.stdout
    done = python(folder, "-m", "pytest", "-n", "0", "tests/test_some.py", strict="1")
    assert "not run, and STRICT is set: no such program here: make system" in done.stdout
    assert "1 passed" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]


def test_notes_of_several_runs_come_together_until_they_are_forgotten(folder):
    for name in ("test_some", "test_file"):
        python(folder, "-m", "pytest", "-n", "0", f"tests/{name}.py")
    assert python(folder, "tests/not_run.py").stdout.startswith("Not run here (4)")
    python(folder, "tests/not_run.py", "forget")
    assert python(folder, "tests/not_run.py").stdout == "Everything was run: no test was skipped.\n"
