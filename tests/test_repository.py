"""The files around the book agree with its settings."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from book_rules import ROOT

from stablenets.book.notebooks import repository_url

README = (ROOT / "README.md").read_text()


def test_readme_is_short():
    assert len(README.splitlines()) <= 100


@pytest.mark.parametrize("name", ["README.md", "CITATION.cff", "intro.md"])
def test_public_address_is_the_one_in_the_settings(name):
    addresses = re.findall(r"github(?:\.com)?/([\w-]+/[\w-]+)", (ROOT / name).read_text())
    assert set(addresses) == {repository_url(ROOT).removeprefix("https://github.com/")}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_to_files_lead_somewhere(name):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / name).read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_readme_tells_the_commands_that_make_runs():
    makefile = (ROOT / "Makefile").read_text()
    for command in ("-r requirements.txt", "--no-deps --no-build-isolation --editable .", "-m stablenets.book.build"):
        assert command in README
        assert command in makefile


def test_readme_examples_run():
    from doctest import DocTestParser, DocTestRunner

    example = re.search(r"^## Use the package alone\n\n```python\n(.*?)```", README, re.DOTALL | re.MULTILINE)[1]
    test = DocTestParser().get_doctest(example, {}, "README.md", "README.md", 0)
    assert DocTestRunner().run(test).failed == 0


def test_make_help_explains_every_target():
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  make ([\w-]+) +\S", shown, re.MULTILINE) == sorted(phony.split())


def test_continuous_integration_runs_the_readme_command():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    assert any(step.get("run", "").startswith("make test") for step in workflow["jobs"]["test"]["steps"])
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "make test"


def test_requirements_pin_every_package_exactly():
    lines = (ROOT / "requirements.txt").read_text().split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert "torch==2.13.0" in lines


def test_no_file_speaks_of_the_machine_it_was_written_on():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    machine = re.compile(r"/(home|root|work|Users)/\w|/tmp/\w")
    own = Path(__file__).relative_to(ROOT).as_posix()
    texts = {name: (ROOT / name).read_bytes().decode(errors="ignore") for name in tracked if (ROOT / name).is_file()}
    assert [name for name, text in texts.items() if name != own and machine.search(text)] == []
