"""Tables that spreadsheets open: whole or not at all, and no cell of them runs."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

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


def write_text(path: Path, text: str) -> None:
    """Write a file that is there whole or, if this process ends meanwhile, as it was before."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_table(path: Path, rows: Iterable[Sequence[str | int | float]]) -> None:
    """Write a CSV, with the mark at its start by which Excel knows UTF-8."""
    lines = io.StringIO()
    written = csv.writer(lines)
    for row in rows:
        written.writerow([cell(value) if isinstance(value, str) else f"{value:g}" for value in row])
    write_text(path, "\ufeff" + lines.getvalue())
