"""The reference of the package: its docstrings, each with the chapters that derive or use what it describes."""

import ast
import re
from functools import cache
from pathlib import Path

import nbformat
from sphinx.application import Sphinx

from stablenets.book.notebooks import FOLDERS


def describe(app: Sphinx, kind: str, name: str, it: object, options: object, lines: list[str]) -> None:
    """Make a docstring fit for Sphinx, and add where its subject stands in the book."""
    in_example = False
    for number, line in enumerate(lines):
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        # |x| is an absolute value here, and would be a substitution there.
        lines[number] = line if in_example else line.replace("|", r"\|")
    pages = uses(Path(app.srcdir)).get(tuple(name.split(".")[-2:]), [])
    if kind in ("function", "class") and pages:
        lines += ["", f"In the book: {', '.join(f':doc:`/{page}`' for page in pages)}."]


def skip(app: Sphinx, kind: str, name: str, it: object, skipped: bool, options: object) -> bool | None:
    """Leave out what a named tuple says of its own fields; the class describes them."""
    return True if (it.__doc__ or "").startswith("Alias for field number") else None


@cache
def uses(root: Path) -> dict[tuple[str, str], list[str]]:
    """Return the chapters that use a name of a module, such as ``("optim", "LARS")``, or name it in their text."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted((root / FOLDERS[0]).glob("*.ipynb")):
        names = set()
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                names |= _attributes(cell.source)
            else:
                names |= set(re.findall(r"`(\w+)\.(\w+)`", cell.source))
        for pair in names:
            found.setdefault(pair, []).append(f"{path.parent.name}/{path.stem}")
    return found


def _attributes(source: str) -> set[tuple[str, str]]:
    nodes = ast.walk(ast.parse(source))
    return {(n.value.id, n.attr) for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
