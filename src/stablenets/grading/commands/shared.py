"""What several commands share: options, one line for each error, results as text and as JSON."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stablenets.grading.records import Outcome
    from stablenets.masters.assignment import Assignment

RESULTS = "results.sqlite"
# Of a clone from which the package is installed to be edited; of another installation it leads to nothing.
CLONE = Path(__file__).parents[4]
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
OWN = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)
as_json = click.option("--json", "as_json", is_flag=True, help="Write the results to standard output as JSON.")


def _solutions() -> str:
    """Return the folder of the masters: the one here, or else that of the clone."""
    of_clone = CLONE / "solutions"
    return "solutions" if Path("solutions").is_dir() or not of_clone.is_dir() else str(of_clone)


def masters(command: Callable) -> Callable:
    """Options that say which exercises there are."""
    for option in (
        click.option("--exercises", type=OWN, help="Python file of exercises of your own."),
        click.option(
            "--solutions",
            type=FOLDER,
            default=_solutions,
            show_default="solutions, here or in the clone",
            help="Folder of the master notebooks.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def errors_in_a_line() -> Iterator[None]:
    """Show errors that a user can mend in a line, without a traceback."""
    from stablenets.grading.sandbox.bubblewrap import SandboxError
    from stablenets.grading.store import StoreError

    try:
        yield
    except (ValueError, SandboxError, StoreError, ImportError, OSError) as error:
        raise click.ClickException(str(error)) from error


def assignments_of(solutions: Path, exercises: Path | None) -> dict[str, "Assignment"]:
    """Read the assignments from the masters."""
    from stablenets.grading import private
    from stablenets.masters import assignment

    if exercises:
        private.register(exercises)
    return assignment.load(solutions)


def summary(outcomes: list["Outcome"], out: Path) -> str:
    failed = [outcome for outcome in outcomes if outcome.problem]
    lines = [f"{len(outcomes) - len(failed)} graded, {len(failed)} not; results in {out}"]
    return "\n".join(lines + [f"  not graded: {outcome.key}: {outcome.problem}" for outcome in failed])


def as_row(outcome: "Outcome") -> dict[str, object]:
    """Return an outcome as plain values; what was not graded has no points, which is not 0."""
    row = {**outcome._asdict(), "parts": [part._asdict() for part in outcome.parts]}
    return row | {name: None if outcome.problem else getattr(outcome, name) for name in ("points", "maximum")}


def to_json(rows: list[dict[str, object]]) -> str:
    return json.dumps(rows, indent=2)
