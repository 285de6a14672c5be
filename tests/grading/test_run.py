"""A class is graded: one row for each submission, the same marks however the work is spread or interrupted."""

import json
import os
import random
import subprocess
import sys
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import nbformat
import psutil
import pytest
from book_rules import ROOT
from click.testing import CliRunner
from nbformat.v4 import new_code_cell
from sandboxed import PATIENCE, assignments, comes, graded_here, needs_bubblewrap
from submissions import blank

from stablenets.checks.exercise import EXERCISES
from stablenets.grading import run
from stablenets.grading.commands import main
from stablenets.grading.marking import Marking
from stablenets.grading.records import Origin, Submission
from stablenets.grading.sandbox.session import OUT_OF_TIME
from stablenets.grading.store import Store
from stablenets.grading.task import stale
from stablenets.masters.cells import role

# A thorough trial takes twenty and more; each costs some seconds, most of them to start.
KILLS = int(os.environ.get("STABLENETS_KILLS", "2"))
RIGHT = "def uniform_bound(variance):\n    return (3 * variance) ** 0.5"
WRONG = "def uniform_bound(variance):\n    return variance ** 0.5"


@pytest.fixture(scope="module")
def task():
    return run.Task(assignments(), dict.fromkeys(EXERCISES, 7), ("numpy", "torch"), total_seconds=PATIENCE)


@pytest.fixture
def here(box, task, monkeypatch):
    """What is graded in this process is graded in the sandbox of all tests."""
    monkeypatch.setattr(run, "_boxes", {(task.preload, task.confined): box})


def notebook(source):
    made = blank("initialization")
    made.cells = [cell for cell in made.cells if role(cell) != "answer"]
    made.cells.append(new_code_cell(source))
    return nbformat.writes(made).encode()


def submission(name, source):
    return Submission(f"{name}/initialization.ipynb", name, content=notebook(source))


CLASS = [
    submission("right", RIGHT),
    submission("wrong", WRONG),
    submission("leaves", "import os\nos._exit(0)"),
    Submission("broken.ipynb", "broken", content=b"{"),
    Submission("link.ipynb", "link", problem="it is a link"),
    *[submission(f"student {number}", RIGHT) for number in range(4)],
]


def marks(outcomes):
    return sorted((row.key, row.digest, row.problem, row.parts, row.notes) for row in outcomes)


@pytest.fixture(scope="module")
def graded(task):
    return list(run.grade_all(CLASS, task, run.processes(2)))


@needs_bubblewrap
def test_every_submission_ends_in_one_row(graded):
    assert sorted(row.key for row in graded) == sorted(one.key for one in CLASS)


@needs_bubblewrap
def test_rows_tell_marks_or_the_reason_why_there_are_none(graded):
    rows = {row.student: row for row in graded}
    points = EXERCISES["uniform-bound"].points
    assert rows["right"].points == rows["student 3"].points == points
    assert rows["wrong"].points == rows["leaves"].points == 0
    assert rows["leaves"].notes[-1].endswith("left out: it ended its process")
    assert rows["link"].problem == "it is a link"
    assert rows["broken"].problem
    assert rows["broken"].parts == ()
    assert rows["wrong"].maximum == sum(exercise.points - exercise.manual_points for exercise in EXERCISES.values()
                                        if exercise.chapter == "initialization")  # fmt: skip


@needs_bubblewrap
def test_marks_do_not_depend_on_how_the_work_is_spread(graded, task, here):
    alone = run.Pool(lambda: ThreadPoolExecutor(1), 1)
    assert marks(run.grade_all(reversed(CLASS), task, alone)) == marks(graded)


class Mortal(ThreadPoolExecutor):
    """Breaks as a pool of processes does when one dies on a submission that kills it."""

    def __init__(self, killers):
        super().__init__(1)
        self.killers, self.broken = killers, False

    def submit(self, function, task, submission):
        if self.broken:
            raise BrokenProcessPool("broken")
        if submission.key in self.killers:
            self.broken = True
        future = Future()
        if self.broken:
            future.set_exception(BrokenProcessPool("broken"))
        else:
            future.set_result(run._row(task, submission, chapter="graded"))
        return future


@pytest.mark.parametrize("width", [1, 2, 5])
def test_lost_process_costs_no_other_submission_its_row(task, width):
    some = [Submission(str(number), "x", content=b"x") for number in range(9)]
    pool = run.Pool(lambda: Mortal({"3", "8"}), width)
    rows = {row.key: row for row in run.grade_all(some, task, pool)}
    assert sorted(rows) == [one.key for one in some]
    assert {key for key, row in rows.items() if row.problem} == {"3", "8"}
    assert "lost twice" in rows["3"].problem
    assert rows["3"].digest == "", "so that a resumed run tries it again"


@needs_bubblewrap
def test_killed_worker_is_replaced(task):
    rows, killed, some = [], False, [CLASS[0], CLASS[1], CLASS[-1]]
    for row in run.grade_all(some, task, run.processes(1)):
        rows.append(row)
        if row.student == "wrong":
            killed = True
            alive = [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]
            (worker,) = [process for process in alive if "spawn_main" in " ".join(process.cmdline())]
            worker.kill()
    assert killed
    assert sorted(row.key for row in rows) == sorted(one.key for one in some)
    assert {row.student: row.points for row in rows}["student 3"] > 0


def test_error_of_the_grader_is_a_row_and_is_tried_again(task, monkeypatch):
    def fails(*arguments):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(run, "parse", fails)
    row = run.grade_one(task, CLASS[0])
    assert row.problem == "the grader failed with RuntimeError: a fault of ours"
    assert row.digest == ""


def test_digest_changes_with_the_submission_and_with_the_assignment(task):
    one = Submission("a", "a", content=b"x")
    same = run.digest(task, one)
    assert run.digest(task, Submission("b", "b", content=b"x")) == same
    assert run.digest(task, one._replace(content=b"y")) != same
    fewer = {"initialization": task.assignments["initialization"]}
    assert run.digest(task._replace(assignments=fewer), one) != same


def test_row_that_ran_out_of_time_is_stale_when_there_is_more_of_it_and_only_then(task, monkeypatch):
    monkeypatch.setattr(run, "_mark", lambda *arguments: Marking((), ran_out_of="time"))
    late = run.grade_one(task, CLASS[0]).origin
    assert not stale(task, CLASS[0], late)
    assert not stale(task._replace(total_seconds=task.total_seconds / 2), CLASS[0], late)
    assert stale(task._replace(total_seconds=task.total_seconds + 1), CLASS[0], late)
    assert stale(task, CLASS[1], late), "it has changed"


def test_row_that_had_time_enough_is_not_stale_when_there_is_more_of_it(task):
    assert not stale(task._replace(total_seconds=10**6), CLASS[0], Origin(run.digest(task, CLASS[0]), time_limit=1))


@needs_bubblewrap
def test_submission_that_never_ends_is_noted_to_have_run_out_of_time(task, here):
    row = run.grade_one(task._replace(total_seconds=3), submission("endless", "while True:\n    pass"))
    assert (row.ran_out_of, row.time_limit) == ("time", 3)
    assert row.notes[-1] == OUT_OF_TIME


def test_submissions_are_taken_only_as_they_are_worked_on(task):
    taken = []

    class Idle(Executor):
        def submit(self, function, task, submission):
            future = Future()
            future.set_result(submission)
            return future

    def stream():
        for number in range(100):
            taken.append(number)
            yield Submission(str(number), "x", content=b"x")

    rows = run.grade_all(stream(), task, run.Pool(Idle, 4))
    for _ in range(10):
        next(rows)
    assert len(taken) <= 15


def words(folder, out, jobs):
    options = ["--jobs", jobs, "--resume", "--json", "--solutions", ROOT / "solutions"]
    return [str(word) for word in ("grade", folder, "--out", out, *options)]


def command(folder, out, jobs):
    """The command itself, as a process with children of its own."""
    start = [sys.executable, "-c", "from stablenets.grading.commands import main; main()"]
    return subprocess.Popen([*start, *words(folder, out, jobs)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def marks_in(printed):
    return {row["key"]: [row[name] for name in ("problem", "parts", "texts", "notes")] for row in json.loads(printed)}


def outcomes(out):
    with Store(out / "results.sqlite", writing=False) as store:
        return store.outcomes()


def killed(process, out, rows):
    """Kill a run once it has written so many rows, and return all that it had started."""
    family = []

    def under_way():
        family[:] = psutil.Process(process.pid).children(recursive=True) or family
        return process.poll() is not None or (family and len(outcomes(out)) >= rows)

    assert comes(under_way)
    process.kill()
    process.communicate()
    return family


@needs_bubblewrap
def test_run_that_is_killed_again_and_again_gives_the_marks_of_an_undisturbed_one(box, tmp_path):
    handed_in, whole, out = (tmp_path / name for name in ("handed-in", "whole", "killed"))
    for folder in (handed_in, whole, out):
        folder.mkdir()
    for number in range(4):
        for one in CLASS[:4]:
            (handed_in / f"{one.student}-{number}.ipynb").write_bytes(one.content)
    for folder in (whole, out):
        Store.create(folder / "results.sqlite", b"the same secret").close()
    with graded_here(box):
        undisturbed = marks_in(CliRunner().invoke(main, words(handed_in, whole, 1)).stdout)
    assert len(undisturbed) == 16
    random_ = random.Random(0)
    # From the moment in which the first worker starts to the midst of grading.
    for rows in [0, *(random_.randrange(1, 12) for _ in range(KILLS - 1))]:
        _, alive = psutil.wait_procs(killed(command(handed_in, out, 2), out, rows), timeout=PATIENCE)
        assert alive == [], "everything that the run had started is dead"
        written = {row.key: row.parts for row in outcomes(out)}
        assert all(len(parts) == len(undisturbed[key][1]) for key, parts in written.items()), "no row is half written"
    last = command(handed_in, out, 1)
    printed, said = last.communicate(timeout=PATIENCE)
    assert last.returncode == 0, said.decode()
    assert marks_in(printed) == undisturbed


@pytest.fixture(scope="module")
def cluster():
    """A cluster of one worker that grades two submissions at once."""
    reason = "distributed is not installed: pip install 'stablenets[dask]'"
    distributed = pytest.importorskip("distributed", reason=reason)
    import dask

    waits = {f"distributed.comm.timeouts.{name}": f"{PATIENCE} s" for name in ("connect", "tcp")}
    with (
        dask.config.set(waits),
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            dashboard_address="127.0.0.1:0",
            host="127.0.0.1",
            worker_dashboard_address=None,
        ) as started,
    ):
        yield started


@needs_bubblewrap
def test_dask_cluster_gives_the_same_marks(graded, task, cluster):
    with run.dask(cluster.scheduler_address) as pool:
        assert pool.width == 4
        assert marks(run.grade_all(CLASS, task, pool)) == marks(graded)


@needs_bubblewrap
def test_dask_worker_that_dies_costs_no_submission_its_row(task, cluster):
    with run.dask(cluster.scheduler_address) as pool:
        rows = []
        for row in run.grade_all(CLASS[:5], task, pool):
            rows.append(row)
            if len(rows) == 2:
                psutil.Process(next(iter(cluster.workers.values())).pid).kill()
        assert sorted(row.key for row in rows) == sorted(one.key for one in CLASS[:5])
        assert {row.student: row.points for row in rows}["right"] > 0
