"""The command that grades a class."""

import functools
import multiprocessing
import os
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import click

from stablenets.grading.commands.shared import (
    NEW_FOLDER,
    RESULTS,
    as_json,
    as_row,
    assignments_of,
    masters,
    summary,
    to_json,
    told,
)


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
    from stablenets.grading import assignment, intake, run, sandbox
    from stablenets.grading.task import Task, stale

    with told():
        confined = not unsafe_no_sandbox
        assignments = assignments_of(solutions, exercises)
        handed_in = functools.partial(intake.collect, submissions, without=out)
        # What is wrong with them is told before anything is made, and before what the machine lacks.
        if next(handed_in(), None) is None:
            raise ValueError(f"no submissions found in {submissions}")
        if confined and not dask:
            sandbox.required_bubblewrap()
        preload = assignment.modules(solutions)
        with (
            run.dask(dask) if dask else nullcontext(run.processes(jobs or _processors())) as pool,
            _results(out, resume or regrade) as store,
        ):
            for line in sandbox.protection(confined):
                click.echo(f"sandbox: {line}", err=True)
            seeds = {exercise: store.seed(exercise) for exercise in EXERCISES}
            limits = sandbox.USUAL._replace(megabytes=memory)
            task = Task(assignments, seeds, preload, confined, limits, 60 * minutes, exercises)
            known = {} if regrade else store.digests()
            here = {one.key: stale(task, one, known.get(one.key)) for one in handed_in()}
            new = (one for one in handed_in() if stale(task, one, known.get(one.key)))
            _grade(new, sum(here.values()), task, pool, store)
            if gone := sorted(set(store.digests()) - here.keys()):
                click.echo(f"kept, though no longer among the submissions: {', '.join(gone)}", err=True)
            outcomes = store.outcomes()
    click.echo(to_json(list(map(as_row, outcomes))) if as_json else summary(outcomes, out))


def _grade(submissions: Iterable, total: int, task, pool, store) -> None:
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


def _results(out: Path, again: bool):
    """Open the results, or make a new file for them."""
    from stablenets.grading.store import Store

    path = out / RESULTS
    if path.exists() and not again:
        raise click.ClickException(f"{path} has results already: go on with --resume, or give another --out")
    out.mkdir(parents=True, exist_ok=True)
    return Store(path) if path.exists() else Store.create(path)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
