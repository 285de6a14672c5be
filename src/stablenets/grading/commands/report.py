"""The command that writes what instructor and students read."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stablenets.grading.commands.shared import (
    FOLDER,
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
    from stablenets.grading.records import Outcome
    from stablenets.grading.report.manual import Marks
    from stablenets.masters.assignment import Assignment


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
    from stablenets.grading.report import gradebook, manual, overview, student_page
    from stablenets.grading.report.pages import counted
    from stablenets.grading.store import Store
    from stablenets.grading.task import outdated

    with errors_in_a_line():
        assignments = assignments_of(solutions, exercises)
        with Store(results / RESULTS, writing=False) as store:
            outcomes = store.outcomes()
        if old := outdated(outcomes, assignments):
            raise ValueError(
                f"{counted(len(old), 'submission')} graded by other exercises or for other points (first {old[0]}): "
                "use the --solutions of that time, or grade them again with --resume, which takes up what has changed"
            )
        sheet = results / "manual.csv"
        marks = manual.read_sheet(sheet) if sheet.exists() else {}
        marks = manual.current(marks, outcomes, assignments)
        manual.write_sheet(sheet, outcomes, assignments, marks)
        gradebook.write(results / "gradebook", outcomes, assignments, marks)
        overview.write(results, outcomes, assignments, marks)
        student_page.write(results / "feedback", outcomes, assignments, marks)
    rows = [_row(outcome, assignments, marks) for outcome in outcomes]
    if as_json:
        click.echo(to_json(rows))
        return
    click.echo(summary(outcomes, results))
    click.echo(f"open {results / 'overview.html'}")
    click.echo(f"{counted(sum(len(row['waiting']) for row in rows), 'answer')} still to be marked in {sheet}")


def _row(outcome: "Outcome", assignments: Mapping[str, "Assignment"], marks: "Marks") -> dict[str, object]:
    """Return an outcome with what a person gave and has still to give; points and their maximum are of both."""
    from stablenets.grading.report.gradebook import maximum, total
    from stablenets.grading.report.manual import ManualMark, answered

    row = {**as_row(outcome), "manual": [], "waiting": []}
    if outcome.problem:
        return row
    assignment = assignments[outcome.chapter]
    for question, _ in answered(outcome, assignment):
        mark = marks.get((outcome.key, question.exercise), ManualMark(None))
        given = {"points": mark.points, "maximum": question.manual_points, "comment": mark.comment}
        row["manual"].append({"exercise": question.exercise, **given})
    counted = total(outcome, assignment, marks)
    return row | {"points": counted.points, "maximum": maximum(assignment), "waiting": list(counted.pending)}
