"""What ``make doctor`` says of environments with a fault."""

import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest
from book_rules import ROOT

from stablenets.book import doctor, system

PROGRAMS = [command for program in system.PROGRAMS for command in program.commands]


def test_installed_packages_are_well(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(f"# pinned\ntorch=={version('torch')}\nnumpy=={version('numpy')}\n", encoding="utf-8")
    assert [finding.well for finding in doctor.packages(path)] == [True]


@pytest.mark.parametrize(
    ("line", "said"),
    [("numpy==0.1", "in place of 0.1"), ("no-such-package==1.0", "no-such-package none in place of 1.0")],
)
def test_packages_that_differ_from_their_pins_are_named(tmp_path, line, said):
    path = tmp_path / "requirements.txt"
    path.write_text(line + "\n", encoding="utf-8")
    (finding,) = doctor.packages(path)
    assert not finding.well
    assert said in finding.advice


def test_what_only_graders_need_is_no_reason_to_fail(monkeypatch, capsys):
    there = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name in PROGRAMS else there(name))
    monkeypatch.setattr(doctor, "packages", lambda path: [])
    assert doctor.main() == 0
    printed = capsys.readouterr().out
    assert "absent  bubblewrap\n        → to grade, and to test grading: make system" in printed
    assert "absent  Chromium" in printed


def test_what_everybody_needs_is(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "OLDEST", (99, 0))
    monkeypatch.setattr(doctor, "packages", lambda path: [])
    assert doctor.main() == 1
    assert "MISSING Python" in capsys.readouterr().out


def test_python_without_any_package_can_run_it():
    package = ROOT / "src"
    code = f"import sys; sys.path.insert(0, {str(package)!r}); from stablenets.book import doctor; doctor.main()"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert "Python" in done.stdout
    assert done.stderr == ""
