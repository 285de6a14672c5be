"""The command that grades a class."""

import functools
import multiprocessing
import os
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stablenets.grading.commands.shared import (
    NEW_FOLDER,
    RESULTS,
    as_json,
    as_row,
    assignments_of,
    errors_in_a_line,
    masters,
    summary,
    to_json,
)

if TYPE_CHECKING:
    from stablenets.grading.records import Submission
    from stablenets.grading.run import Pool
    from stablenets.grading.store import Store
    from stablenets.grading.task import Task


@click.command(short_help="Grade what was handed in.")
@click.argument("submissions", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=NEW_FOLDER, required=True, help="Folder for the results.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes.  [default: one for each processor]")
@click.option("--resume", is_flag=True, help="Go on in a folder with results: grade what is new or has changed.")
@click.option("--regrade", is_flag=True, help="Grade everything in it again, with the same seeds.")
@click.option("--dask", metavar="ADDRESS", help="Use the Dask cluster whose scheduler has this address.")
@click.option("--minutes", type=click.FloatRange(min=0.1), default=10, show_default=True, help="For one submission.")
@click.option("--memory", type=click.IntRange(min=256), default=2048, show_default=True, help="MiB for one submission.")
@click.option("--unsafe-no-sandbox", is_flag=True, help="Run submissions without protection, with all your rights.")
@masters
@as_json
def grade(
    submissions: Path,
    out: Path,
    jobs: int | None,
    resume: bool,
    regrade: bool,
    dask: str | None,
    minutes: float,
    memory: int,
    unsafe_no_sandbox: bool,
    solutions: Path,
    exercises: Path | None,
    as_json: bool,
) -> None:
    """Grade SUBMISSIONS: a notebook, a folder, or the zip that Canvas or Moodle exports.

    Each submission runs in a sandbox without network, files or secrets; the checks run outside it, with seeds that are
    drawn once for the folder of results. Every submission ends in one row of OUT/results.sqlite: its marks, or why it
    has none. A run that was ended, by whatever, goes on with --resume.
    """
    from stablenets.checks.exercise import EXERCISES
    from stablenets.grading import run
    from stablenets.grading.intake.collect import collect
    from stablenets.grading.sandbox import bubblewrap
    from stablenets.grading.task import Task, stale
    from stablenets.masters.assignment import modules

    with errors_in_a_line():
        confined = not unsafe_no_sandbox
        assignments = assignments_of(solutions, exercises)
        handed_in = functools.partial(collect, submissions, without=out)
        # What is wrong with them is told before anything is made, and before what the machine lacks.
        if next(handed_in(), None) is None:
            raise ValueError(f"no submissions found in {submissions}")
        if confined and not dask:
            bubblewrap.required_program()
        preload = modules(solutions)
        with (
            run.dask(dask) if dask else nullcontext(run.processes(jobs or _processors())) as pool,
            _results(out, resume or regrade) as store,
        ):
            for line in bubblewrap.protection(confined):
                click.echo(f"sandbox: {line}", err=True)
            seeds = {exercise: store.seed(exercise) for exercise in EXERCISES}
            limits = bubblewrap.USUAL._replace(megabytes=memory)
            task = Task(assignments, seeds, preload, confined, limits, 60 * minutes, exercises)
            rows = {} if regrade else store.origins()
            here = {each.key: stale(task, each, rows.get(each.key)) for each in handed_in()}
            new = (each for each in handed_in() if stale(task, each, rows.get(each.key)))
            _grade(new, sum(here.values()), task, pool, store)
            if gone := sorted(store.origins().keys() - here.keys()):
                click.echo(f"kept, though no longer among the submissions: {', '.join(gone)}", err=True)
            outcomes = store.outcomes()
    click.echo(to_json(list(map(as_row, outcomes))) if as_json else summary(outcomes, out))


def _grade(submissions: Iterable["Submission"], total: int, task: "Task", pool: "Pool", store: "Store") -> None:
    from stablenets.grading import run

    rows = run.grade_all(submissions, task, pool)
    try:
        with click.progressbar(rows, length=total, label="grading", file=sys.stderr, show_pos=True) as bar:
            for outcome in bar:
                store.put(outcome)
    except KeyboardInterrupt:
        for process in multiprocessing.active_children():
            process.kill()
        raise click.ClickException("stopped; what was graded is kept: go on with --resume") from None


def _results(out: Path, again: bool) -> "Store":
    """Open the results, or make a new file for them."""
    from stablenets.grading.store import Store

    path = out / RESULTS
    if path.exists() and not again:
        raise click.ClickException(f"{path} has results already: go on with --resume, or give another --out")
    out.mkdir(parents=True, exist_ok=True)
    return Store(path) if path.exists() else Store.create(path)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
