"""Whether a master notebook and the registry of exercises tell the same: where they differ, a class is misgraded."""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from stablenets.checks.exercise import EXERCISES
from stablenets.grading.plain import plain
from stablenets.grading.student import FACTS, role

# Where the source of a cell names the exercise that it belongs to.
NAMED = re.compile(r"""\b(?:check|wrong|alternative)\(\s*["']([\w-]+)["']""")


def require(master: NotebookNode, chapter: str) -> None:
    """Require that every cell tells one exercise, one of this chapter, and that no exercise lacks its cells.

    Args:
        master: the notebook.
        chapter: name of its file, without ``.ipynb``.

    Raises:
        ValueError: the text names the file, the cell and the ids.
    """
    for fault in _faults(master, chapter):
        raise ValueError(f"{chapter}.ipynb, {fault}")


def _faults(master: NotebookNode, chapter: str) -> Iterator[str]:
    found = set()
    for number, cell in enumerate(master.cells, 1):
        id = cell.metadata.get("stablenets", {}).get("exercise")
        if id is None:
            continue
        first = cell.source.strip().partition("\n")[0]
        where = f"cell {number} ({plain(first, 40)})"
        # A copied cell keeps its metadata, which notebook programs do not show.
        for other in (NAMED if cell.cell_type == "code" else FACTS).findall(cell.source):
            if other != id:
                yield f"{where}: its metadata say exercise {id!r} and its source says {other!r}; make them the same"
        if id not in EXERCISES:
            yield f"{where}: exercise {id!r} is not registered; name the Python file that does it with --exercises"
        elif EXERCISES[id].chapter != chapter:
            of = EXERCISES[id].chapter
            yield f"{where}: exercise {id!r} belongs to chapter {of!r}, whose master is {of}.ipynb"
        found.add((id, role(cell)))
    for one in EXERCISES.values():
        if one.chapter == chapter:
            for needed in ("statement", "answer", *(["check"] if one.parts else [])):
                if (one.id, needed) not in found:
                    yield f"exercise {one.id!r}: there is no cell whose metadata say that it is its {needed}"
