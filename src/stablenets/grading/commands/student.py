"""The commands around a student's notebook: hand out, and check before handing in."""

import json
import sys
from pathlib import Path

import click

from stablenets.grading.commands.shared import NEW_FOLDER, as_json, assignments_of, errors_in_a_line, masters


@click.command(short_help="Write the notebooks to hand out.")
@click.argument("chapters", nargs=-1)
@click.option("--out", type=NEW_FOLDER, default="_build/student", show_default=True, help="Folder.")
@click.option("--nbgrader", is_flag=True, help="Write a course for nbgrader: its source folder and its settings.")
@masters
def student(chapters: tuple[str, ...], out: Path, nbgrader: bool, solutions: Path, exercises: Path | None) -> None:
    """Write the notebooks for students, without solutions, for all CHAPTERS or those named."""
    from stablenets.grading import nbgrader_course
    from stablenets.masters import student_notebook

    with errors_in_a_line():
        assignments_of(solutions, exercises)
        if nbgrader:
            paths = nbgrader_course.write_all(solutions, out, chapters, exercises)
        else:
            paths = student_notebook.write_all(solutions, out, chapters)
        for path in paths:
            click.echo(path)


@click.command(short_help="Check a notebook before handing it in.")
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seconds", type=click.FloatRange(min=1), default=120, show_default=True, help="Longest time of a cell.")
@as_json
def validate(notebook: Path, seconds: float, as_json: bool) -> None:
    """Say what a grader would say about NOTEBOOK, before you hand it in.

    It runs from top to bottom in a fresh kernel, on your machine and with your rights, and every exercise is checked
    with the public seed. Exit status 1 tells that something is left to do.
    """
    from stablenets.grading.validation import validate

    with errors_in_a_line():
        validation = validate(notebook, cell_seconds=seconds)
    click.echo(json.dumps(validation.as_dict(), indent=2) if as_json else str(validation))
    sys.exit(0 if validation.ready else 1)
