"""Grade a class: several submissions at once, and each ends in one row whatever another does."""

import atexit
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import torch

from stablenets.grading.intake.parse import Unreadable, parse
from stablenets.grading.marking import Marking, mark
from stablenets.grading.private import register
from stablenets.grading.records import Outcome, Submission
from stablenets.grading.sandbox.bubblewrap import Sandbox, SandboxError
from stablenets.grading.sandbox.inside.confine import die_with_parent
from stablenets.grading.task import Task, digest


class Pool(NamedTuple):
    """What does the work: an executor, made anew where one broke, and how many submissions it should have at hand."""

    start: Callable[[], Executor]
    width: int


def grade_all(submissions: Iterable[Submission], task: Task, pool: Pool) -> Iterator[Outcome]:
    """Grade submissions and yield each one's row as it comes; no more are held in memory than are at work.

    If a process of the pool dies, each submission that was at work is graded again on its own; the one with which it
    dies again gets a row that says so.
    """
    executor, waiting = pool.start(), dict[Future, Submission]()
    try:
        for submission in submissions:
            if submission.problem:
                yield _row(task, submission, problem=submission.problem)
                continue
            waiting[_submit(executor, task, submission)] = submission
            if len(waiting) < pool.width:
                continue
            done, lost = _finished(waiting)
            yield from done
            if lost:
                executor.shutdown(wait=False)
                # Whatever was still waiting has lost its process too, or has its result.
                done, more = _finished(waiting, everything=True)
                yield from done
                yield from (_apart(submission, task, pool) for submission in lost + more)
                executor = pool.start()
        done, lost = _finished(waiting, everything=True)
        yield from done
        yield from (_apart(submission, task, pool) for submission in lost)
    finally:
        for future in waiting:
            future.cancel()
        executor.shutdown(wait=not waiting)


def _submit(executor: Executor, task: Task, submission: Submission) -> Future:
    try:
        return executor.submit(grade_one, task, submission)
    except BrokenExecutor as error:
        # It broke since the last look: this one is lost like those at work.
        future = Future()
        future.set_exception(error)
        return future


def _finished(waiting: dict[Future, Submission], everything: bool = False) -> tuple[list[Outcome], list[Submission]]:
    """Take out what is done, as rows and as submissions whose process was lost."""
    rows, lost = [], []
    while waiting:
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            submission = waiting.pop(future)
            if future.cancelled() or future.exception():
                lost.append(submission)
            else:
                rows.append(future.result())
        if not everything:
            break
    return rows, lost


def _apart(submission: Submission, task: Task, pool: Pool) -> Outcome:
    """Grade a submission in a pool of its own."""
    with pool.start() as executor:
        future = _submit(executor, task, submission)
        error = future.exception()
    if error is None:
        return future.result()
    # Without a digest the row is never up to date: a resumed run tries again.
    problem = f"the process that graded it was lost twice ({type(error).__name__}: {error})"
    return _row(task, submission, problem=problem)._replace(digest="")


def grade_one(task: Task, submission: Submission) -> Outcome:
    """Grade one submission, in a sandbox that this process keeps for the next ones."""
    start = time.monotonic()
    row = functools.partial(_row, task, submission)
    try:
        if task.exercises:
            register(task.exercises)
        notebook = parse(submission.content, task.assignments)
        marking = _mark(task, notebook.code, notebook.chapter)
    except Unreadable as error:
        return row(problem=str(error), seconds=time.monotonic() - start)
    except Exception as error:
        problem = f"the grader failed with {type(error).__name__}: {error}"
        return row(problem=problem, seconds=time.monotonic() - start)._replace(digest="")
    return row(
        chapter=notebook.chapter,
        parts=marking.parts,
        texts=notebook.texts,
        notes=notebook.notes + marking.notes,
        seconds=time.monotonic() - start,
        ran_out_of=marking.ran_out_of,
        time_limit=task.total_seconds,
    )


def _row(task: Task, submission: Submission, **values: Any) -> Outcome:
    return Outcome(submission.key, submission.student, submission.identifier, digest(task, submission), **values)


# The sandboxes of this process. Each serves one submission at a time, and a Dask worker may have several threads.
_boxes: dict[tuple[tuple[str, ...], bool], Sandbox] = {}
_LOCK = threading.Lock()


def _mark(task: Task, code: tuple[str, ...], chapter: str) -> Marking:
    with _LOCK:
        torch.set_num_threads(1)
        try:
            return _mark_once(task, code, chapter)
        except SandboxError:
            # It is not used again; a second one that fails tells more than a third would.
            if broken := _boxes.pop((task.preload, task.confined), None):
                broken.close()
            return _mark_once(task, code, chapter)


def _mark_once(task: Task, code: tuple[str, ...], chapter: str) -> Marking:
    kind = task.preload, task.confined
    if kind not in _boxes:
        _boxes[kind] = Sandbox(task.preload, confined=task.confined)
        atexit.register(_boxes[kind].close)
    seed = task.seeds.__getitem__
    return mark(_boxes[kind], code, task.assignments[chapter], seed, task.limits, total_seconds=task.total_seconds)


def _enter(parent: int) -> None:
    """Make a process of the pool end with its parent, and leave Ctrl-C to the parent."""
    die_with_parent()
    if os.getppid() != parent:  # it ended before
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def processes(jobs: int) -> Pool:
    """Work in this many processes of this machine."""
    fresh = multiprocessing.get_context("spawn")

    def start() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(jobs, mp_context=fresh, initializer=_enter, initargs=(os.getpid(),))

    return Pool(start, 2 * jobs)


@contextmanager
def dask(address: str) -> Iterator[Pool]:
    """Work on the Dask cluster whose scheduler has this address; its workers need this package and bubblewrap."""
    from distributed import Client

    with closing(Client(address, set_as_default=False)) as client:
        yield Pool(client.get_executor, 2 * max(1, sum(client.nthreads().values())))
