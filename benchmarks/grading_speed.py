"""Seconds for a submission: this grader beside Otter, and beside nbgrader with its own execution and with ours.

Run with ``OMP_NUM_THREADS=1 python benchmarks/grading_speed.py``. A class of right submissions to a chapter, graded in
turns by each; Otter runs the same checks without a container, all submissions in one process; it is left out where it
is not installed. Wall and CPU time of the whole command, its start included, and what one submission more costs: the
difference between the larger and the smaller class over the difference of their sizes. That takes about five minutes;
with ``long`` as its argument the classes are larger, and it takes a quarter of an hour.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import nbformat
from shared import processor

from stablenets.grading import nbgrader_course
from stablenets.masters import assignment
from stablenets.masters.cells import role

ROOT = Path(__file__).parents[1]
SOLUTIONS, CHAPTER = ROOT / "solutions", "lars"
# Sizes of the classes, rounds, and the sizes at which the growth is measured.
SHORT, LONG = (2, 8, 2, (20, 200)), (4, 20, 3, (20, 200, 2000))
SMALL, LARGE, ROUNDS, GROWTH = LONG if sys.argv[1:] == ["long"] else SHORT


class Cost(NamedTuple):
    """Wall and processor seconds, and the most MiB that one process of the command held."""

    wall: float
    cpu: float
    megabytes: float


def answered(source: Path) -> bytes:
    """A student's notebook of the nbgrader course with all right answers."""
    master = nbformat.read(SOLUTIONS / f"{CHAPTER}.ipynb", as_version=4)
    answers = {cell.metadata.stablenets.exercise: cell.source for cell in master.cells if role(cell) == "answer"}
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if role(cell) == "answer":
            cell.source = answers[cell.metadata.stablenets.exercise]
    return json.dumps(notebook).encode()


MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def run(folder: Path, *words: object) -> Cost:
    """Run a command to its end, in a process whose only child it is."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", MEASURE, sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RuntimeError(f"{words} failed:\n{done.stderr[-2000:]}")
    return Cost(*json.loads(done.stdout))


def course(folder: Path, students: int, *, ours: bool) -> Path:
    """Make an nbgrader course with that many submissions."""
    list(nbgrader_course.write_all(SOLUTIONS, folder, [CHAPTER]))
    if not ours:
        settings = "c = get_config()\nc.ClearSolutions.enabled = False\nc.Execute.timeout = 120\n"
        (folder / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    run(folder, "-m", "nbgrader", "generate_assignment", CHAPTER)
    content = answered(folder / "release" / CHAPTER / f"{CHAPTER}.ipynb")
    for number in range(students):
        to = folder / "submitted" / f"s{number:04}" / CHAPTER
        to.mkdir(parents=True)
        (to / f"{CHAPTER}.ipynb").write_bytes(content)
    return folder


def with_nbgrader(folder: Path) -> Cost:
    return run(folder, "-m", "nbgrader", "autograde", CHAPTER, "--force")


OTTER_TEST = """
from otter.test_files import test_case

OK_FORMAT = False
name = {exercise!r}
points = {points}


@test_case()
def whole(env):
    from stablenets.checks.exercise import EXERCISES

    assert EXERCISES[{exercise!r}].run(env[{function!r}], 1).passed
"""
OTTER = """
import sys
from otter.api import grade_submission

for path in sys.argv[2:]:
    result = grade_submission(path, sys.argv[1], quiet=True)
    assert result.total == result.possible > 0, result.summary()
"""


def with_otter(folder: Path) -> Cost:
    archive, tests = folder / "otter.zip", folder / "otter"
    if not tests.exists():
        tests.mkdir()
        for question in assignment.load(SOLUTIONS)[CHAPTER].questions:
            if question.function:
                (tests / f"{question.exercise}.py").write_text(
                    OTTER_TEST.format(**question._asdict()), encoding="utf-8"
                )
        options = ["--no-requirements", "--no-environment", "--no-config"]
        run(folder, "-m", "otter", "generate", "--tests-dir", tests, "--output-path", archive, *options)
    return run(folder, "-c", OTTER, archive, *sorted((folder / "submitted").rglob("*.ipynb")))


def with_stablenets(folder: Path, jobs: int = 1) -> Cost:
    out = folder / f"results-{time.monotonic_ns()}"
    options = ["--out", out, "--solutions", SOLUTIONS, "--jobs", jobs]
    cost = run(folder, "-c", "from stablenets.grading.commands import main; main()", "grade", "submitted", *options)
    shutil.rmtree(out)
    return cost


def race(folder: Path) -> None:
    sizes = (SMALL, LARGE)
    plain = {n: course(folder / f"plain-{n}", n, ours=False) for n in sizes}
    plugged = {n: course(folder / f"ours-{n}", n, ours=True) for n in sizes}
    runs = {
        "nbgrader": (with_nbgrader, plain),
        "nbgrader with our execution": (with_nbgrader, plugged),
        "`stablenets grade`, 1 process": (with_stablenets, plugged),
        "`stablenets grade`, 2 processes": (lambda path: with_stablenets(path, 2), plugged),
    }
    if find_spec("otter"):
        runs["Otter"] = with_otter, plain
    costs = {name: {n: [] for n in sizes} for name in runs}
    for _ in range(ROUNDS):
        for name, (command, folders) in runs.items():
            for n in sizes:
                costs[name][n].append(command(folders[n]))
    print(f"\n| {LARGE} submissions, {CHAPTER} | wall s each | CPU s each | one more, wall s | nbgrader's one more ÷ |")
    print("|---|---|---|---|---|")
    more = {
        name: statistics.median((b.wall - a.wall) / (LARGE - SMALL) for a, b in zip(of_sizes[SMALL], of_sizes[LARGE]))
        for name, of_sizes in costs.items()
    }
    for name, of_sizes in costs.items():
        wall, cpu = (statistics.median(getattr(c, what) for c in of_sizes[LARGE]) / LARGE for what in ("wall", "cpu"))
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {more[name]:.3f} | {more['nbgrader'] / more[name]:.1f} |")


def growth(folder: Path) -> None:
    print("\n| `stablenets grade`, 2 processes, submissions | seconds | each, ms | most memory of a process, MiB |")
    print("|---|---|---|---|")
    for students in GROWTH:
        cost = with_stablenets(course(folder / f"growth-{students}", students, ours=True), 2)
        print(
            f"| {students} | {cost.wall:.1f} | {1000 * cost.wall / students:.0f} | {cost.megabytes:.0f} |", flush=True
        )


def main() -> None:
    print(f"{processor()}, {os.cpu_count()} processors; the start of each command included")
    if not find_spec("nbgrader"):
        raise SystemExit("nbgrader is not installed")
    with tempfile.TemporaryDirectory() as folder:
        race(Path(folder))
        growth(Path(folder))


if __name__ == "__main__":
    main()
