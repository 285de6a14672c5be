"""What tests of grading share: where they can run, what is asked, and measures that a busy machine does not change."""

import functools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from book_rules import ROOT
from nbclient import NotebookClient

from stablenets.grading import run
from stablenets.grading.sandbox import bubblewrap
from stablenets.grading.sandbox.session import Session
from stablenets.masters import assignment
from stablenets.masters.assignment import Assignment

needs_bubblewrap = pytest.mark.skipif(
    bubblewrap.program() is None, reason="bubblewrap is missing or may not be used here: make system"
)
# Seconds that only what hangs meets, however busy the machine is.
PATIENCE = 600
# Small, so that an attack meets them soon.
LIMITS = bubblewrap.Limits(megabytes=600, file_megabytes=8, processes=24, seconds=30)


@functools.cache
def assignments() -> dict[str, Assignment]:
    return assignment.load(ROOT / "solutions")


def asked(chapter: str, exercise: str | None = None) -> Assignment:
    """A chapter's assignment, or what it asks in one exercise."""
    whole = assignments()[chapter]
    return whole._replace(questions=tuple(q for q in whole.questions if exercise in (None, q.exercise)))


def comes(condition: Callable[[], bool]) -> bool:
    """Wait for what comes in a moment, or late on a busy machine."""
    until = time.monotonic() + PATIENCE
    while not (there := condition()) and time.monotonic() < until:
        time.sleep(0.01)
    return there


def runs(process: int) -> bool:
    """Whether a process is there and no zombie, which runs nothing."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Patient(Session):
    """A session that gives the seconds of a cell to cells that loop without end, and to all others what they need."""

    def _exchange(self, seconds, *request):
        kind, what = request[:2]
        return super()._exchange(seconds if kind == "call" or "while True" in what else PATIENCE, *request)


class PatientClient(NotebookClient):
    """Runs a notebook, and gives the seconds of a cell only to those in which one of some words says that it hangs."""

    hanging = ("while True:\n    pass",)

    def __init__(self, *arguments, timeout, **options):
        def seconds(cell):
            return timeout if any(word in cell.source for word in self.hanging) else PATIENCE

        waits = {"timeout_func": seconds, "startup_timeout": PATIENCE, "iopub_timeout": PATIENCE}
        super().__init__(*arguments, **waits, **options)


@contextmanager
def graded_here(box: bubblewrap.Sandbox, confined: bool = True) -> Iterator[None]:
    """Let the command grade in this process and this sandbox: another one would have to import everything first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "processes", lambda jobs: run.Pool(lambda: ThreadPoolExecutor(1), 2 * jobs))
        patch.setattr(run, "_boxes", {(assignment.modules(ROOT / "solutions"), confined): box})
        yield


@contextmanager
def processor_seconds(most: float) -> Iterator[None]:
    """Let this process take no more of the processor than this; what others do beside it does not count."""
    before = time.process_time()
    yield
    assert time.process_time() - before < most


@contextmanager
def mebibytes(most: float) -> Iterator[None]:
    """Let this process at no moment hold more than this above what it holds now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the highest mark is what is held now
    before = _highest()
    yield
    assert _highest() - before < most


def _highest() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
