"""Tables that spreadsheets open: whole or not at all, and no cell of them runs."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from stablenets.masters.files import write_text

# With these a spreadsheet takes a cell for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(text: str) -> str:
    """Return text that a spreadsheet shows and does not run: an apostrophe before what would be a formula.

    >>> cell("=HYPERLINK(1)"), cell("Ash")
    ("'=HYPERLINK(1)", 'Ash')
    """
    return f"'{text}" if len(text) > 1 and text.lstrip(" '").startswith(FORMULA) else text


def original(text: str) -> str:
    """Undo :func:`cell`.

    >>> original(cell("=x")), original("'s-Hertogenbosch")
    ('=x', "'s-Hertogenbosch")
    """
    return text[1:] if text.startswith("'") and cell(text[1:]) == text else text


def write_table(path: Path, rows: Iterable[Sequence[str | int | float]]) -> None:
    """Write a CSV, with the mark at its start by which Excel knows UTF-8."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    for row in rows:
        writer.writerow([cell(value) if isinstance(value, str) else f"{value:g}" for value in row])
    write_text(path, "\ufeff" + lines.getvalue())
