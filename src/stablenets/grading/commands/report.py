"""The command that writes what instructor and students read."""

from pathlib import Path

import click

from stablenets.grading.commands.shared import (
    FOLDER,
    RESULTS,
    as_json,
    assignments_of,
    masters,
    summary,
    to_json,
    told,
)


@click.command(short_help="Write gradebooks, overview and feedback.")
@click.argument("results", type=FOLDER)
@masters
@as_json
def report(results: Path, solutions: Path, exercises: Path | None, as_json: bool) -> None:
    """Write gradebooks, an overview and feedback from the RESULTS of grading.

    \b
    gradebook/*.csv      to import into Canvas, Moodle or Gradescope
    overview.html        the class: distributions, commonest mistakes, what could not be graded
    manual.html          the answers to open questions beside their rubrics
    manual.csv           fill in points and comments there, then run this command again
    feedback/*.html      one page for each submission, to send to its student
    """
    from stablenets.grading import feedback, gradebook, manual
    from stablenets.grading import report as pages
    from stablenets.grading.assignment import outdated
    from stablenets.grading.store import Store

    with told():
        assignments = assignments_of(solutions, exercises)
        with Store(results / RESULTS, writing=False) as store:
            outcomes = store.outcomes()
        if old := outdated(outcomes, assignments):
            raise ValueError(
                f"{len(old)} submissions, {old[0]} among them, were graded by other exercises or for other points: use "
                "the --solutions of that time, or grade them again with --resume, which takes up what has changed"
            )
        sheet = results / "manual.csv"
        marks = manual.read_sheet(sheet) if sheet.exists() else {}
        marks = manual.current(marks, outcomes, assignments)
        manual.write_sheet(sheet, outcomes, assignments, marks)
        gradebook.write(results / "gradebook", outcomes, assignments, marks)
        pages.write(results, outcomes, assignments, marks)
        feedback.write(results / "feedback", outcomes, assignments, marks)
    click.echo(to_json(outcomes) if as_json else summary(outcomes, results))
    if not as_json:
        click.echo(f"open {results / 'overview.html'}")
