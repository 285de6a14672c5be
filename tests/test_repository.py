"""The files around the book agree with its settings."""

import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from book_rules import ROOT

from stablenets.book.notebooks import repository_url

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_readme_is_short():
    assert len(README.splitlines()) <= 100


@pytest.mark.parametrize("name", ["README.md", "CITATION.cff", "intro.md"])
def test_public_address_is_the_one_in_the_settings(name):
    addresses = re.findall(r"github(?:\.com)?/([\w-]+/[\w-]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert set(addresses) == {repository_url(ROOT).removeprefix("https://github.com/")}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_to_files_lead_somewhere(name):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_readme_tells_the_commands_that_make_runs():
    for command in ("-r requirements.txt", "--no-deps --no-build-isolation --editable .", "-m stablenets.book.build"):
        assert command in README
        assert command in MAKEFILE


def test_readme_examples_run():
    from doctest import DocTestParser, DocTestRunner

    example = re.search(r"^## Use the package alone\n\n```python\n(.*?)```", README, re.DOTALL | re.MULTILINE)[1]
    test = DocTestParser().get_doctest(example, {}, "README.md", "README.md", 0)
    assert DocTestRunner().run(test).failed == 0


def test_make_help_explains_every_target():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    assert re.findall(r"^  make ([\w-]+) +\S", shown, re.MULTILINE) == sorted(phony.split())


@pytest.mark.parametrize("name", ["test", "release", "weekly"])
def test_workflows_bring_the_programs_and_let_nothing_be_skipped(name):
    (job,) = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text(encoding="utf-8"))["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert "make system" in commands
    assert [command for command in commands if re.match(r"make test .*STRICT=1", command)]
    assert "apt-get" not in "".join(commands)


def test_continuous_integration_runs_the_readme_command():
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-2:] == ["make system", "make test STRICT=1"]


def test_binder_takes_the_small_build_of_torch():
    lines = (ROOT / ".binder/requirements.txt").read_text(encoding="utf-8").splitlines()
    publish = (ROOT / ".github/workflows/publish.yml").read_text(encoding="utf-8")
    (builds,) = re.findall(r"^CPU_BUILDS := (\S+)$", MAKEFILE, re.MULTILINE)
    assert f"--extra-index-url {builds}" in lines
    assert "-r ../requirements.txt" in lines
    assert f'"--extra-index-url {builds}" \\' in publish


def test_requirements_pin_every_package_exactly():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert "torch==2.13.0" in lines


def committed() -> list[Path]:
    """The files of the repository; where there is no git to ask (a download), all but those that are derived."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        return [path for name in names.decode().split("\0") if name and (path := ROOT / name).is_file()]
    derived = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    paths = (path for path in ROOT.rglob("*") if path.is_file())
    return [path for path in paths if not any(fnmatch(part, one) for part in path.parts for one in derived)]


def test_no_file_speaks_of_the_machine_it_was_written_on():
    machine = re.compile(r"/(home|root|work|Users)/\w|/tmp/\w")
    texts = {path: path.read_bytes().decode(errors="ignore") for path in committed() if path != Path(__file__)}
    assert len(texts) > 200
    assert [str(path) for path, text in texts.items() if machine.search(text)] == []
