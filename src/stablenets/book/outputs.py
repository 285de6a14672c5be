"""The outputs of executed notebooks, kept so that one execution serves the tests and the book.

They are found again only under the same key: the code cells, the package they import, the pinned requirements and the
Python version. So no page ever shows what another version of the code has computed.

    python -m stablenets.book.outputs chapters/initialization.ipynb

executes a notebook of the book, keeps its outputs and prints the seconds it took.
"""

import hashlib
import platform
import sys
import time
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from stablenets.book import notebooks
from stablenets.masters.cells import KEY, stated
from stablenets.masters.files import write

STORE = Path("_build/outputs")
PACKAGE = Path(__file__).parents[1]
# Notebooks cannot see these, so a change in them leaves every output valid.
UNSEEN = {"book", "grading", "masters"}


def key(notebook: NotebookNode, root: Path) -> str:
    """Hash all that the outputs of a notebook depend on."""
    code = "\0".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return _digest(
        code, _package_digest(), (root / "requirements.txt").read_text(encoding="utf-8"), platform.python_version()
    )


@cache
def _package_digest() -> str:
    files = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in UNSEEN)
    return _digest(*(f"{path.relative_to(PACKAGE)}\0{path.read_text(encoding='utf-8')}" for path in files))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0\0".join(texts).encode()).hexdigest()


def save(executed: NotebookNode, name: Path, root: Path, seconds: float) -> None:
    """Keep the outputs of an executed notebook.

    Args:
        executed: with its outputs, pictures included.
        name: path of the notebook relative to ``root``.
        root: folder of the book.
        seconds: how long the execution took.
    """
    executed = nbformat.from_dict(executed)
    executed.metadata[KEY] = {"key": key(executed, root), "seconds": round(seconds, 1)}
    path = root / STORE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write(executed, path)


def load(notebook: NotebookNode, name: Path, root: Path) -> NotebookNode | None:
    """Return the notebook with its kept outputs, or None if there are none under its key.

    Text cells and metadata are those of ``notebook``: a new caption needs no execution.
    """
    path = root / STORE / name
    if not path.exists():
        return None
    kept = nbformat.read(path, as_version=4)
    if stated(kept.metadata, "key") != key(notebook, root):
        return None
    merged = nbformat.from_dict(notebook)
    outputs = (cell.outputs for cell in kept.cells if cell.cell_type == "code")
    for cell in merged.cells:
        if cell.cell_type == "code":
            cell.outputs = next(outputs)
    return merged


def kept(name: Path, root: Path) -> NotebookNode | None:
    """Return the notebook ``root / name`` as it is now with its kept outputs, or None if there are none that hold."""
    return load(nbformat.read(root / name, as_version=4), name, root)


def seconds(root: Path) -> dict[Path, float]:
    """Return how long each notebook of the book took when it was last executed."""
    names = [path.relative_to(root) for path in notebooks.paths(root)]
    kept = {name: nbformat.read(root / STORE / name, as_version=4) for name in names}
    return {name: stated(notebook.metadata, "seconds") for name, notebook in kept.items()}


def produce(name: Path, root: Path) -> float:
    """Execute the notebook ``root / name``, keep its outputs, and return the seconds it took."""
    start = time.perf_counter()
    path = root / name
    executed = notebooks.execute(nbformat.read(path, as_version=4), path.parent)
    seconds = time.perf_counter() - start
    save(executed, name, root, seconds)
    return seconds


if __name__ == "__main__":
    # Loaded with the client of notebooks; it is wanted for its errors alone.
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    try:
        print(produce(Path(sys.argv[1]), Path.cwd()))
    except CellExecutionError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    except (DeadKernelError, AssertionError, KeyboardInterrupt) as error:
        # When it is interrupted, the client cleans up twice, and asserts the second time that it has not yet.
        sys.exit(f"{sys.argv[1]}: {str(error) or 'interrupted'}")
