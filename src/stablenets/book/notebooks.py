"""Keep the committed notebooks normal: text outputs that can be compared, no pictures, no traces of a machine.

    python -m stablenets.book.notebooks refresh [NOTEBOOK …]

executes the notebooks (all of the book's if none is named) and writes them back in that form.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbformat import NotebookNode

from stablenets.masters.cells import KEY, colab_cell, is_for_colab
from stablenets.masters.files import KERNEL_ARGUMENTS, write

FOLDERS = ("chapters", "solutions")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CELL_METADATA = {"tags", "mystnb", KEY}
# Only what hangs meets it, on a busy machine too.
CELL_TIMEOUT = 1800


def repository_url(root: Path = Path()) -> str:
    """The public address of the repository: one setting in ``_config.yml``, from which all else takes it."""
    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def paths(root: Path = Path()) -> list[Path]:
    """All notebooks of the book."""
    return sorted(path for folder in FOLDERS for path in (root / folder).glob("*.ipynb"))


def normalize(notebook: NotebookNode, url: str) -> NotebookNode:
    """Return an executed notebook in the form that is committed.

    Args:
        notebook: executed, format 4.5 or later.
        url: public address of the repository.

    Raises:
        ValueError: a cell wrote to standard error. Warnings are mended, not committed.
    """
    notebook = nbformat.from_dict(notebook)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in sorted(cell.metadata.items()) if k in CELL_METADATA})
        if cell.cell_type == "code":
            if is_for_colab(cell):
                cell.source = colab_cell(url)
            cell.outputs = [_normalize_output(output, cell) for output in cell.outputs]
    return notebook


def _normalize_output(output: NotebookNode, cell: NotebookNode) -> NotebookNode:
    if output.output_type == "stream":
        if output.name != "stdout":
            raise ValueError(f"a cell writes to {output.name}:\n{output.text}\nThe cell:\n{cell.source}")
    elif output.output_type == "error":
        output.traceback = []
    else:
        output.data = nbformat.from_dict({"text/plain": output.data["text/plain"]})
        output.metadata = nbformat.from_dict({})
    return output


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run all cells in a fresh kernel whose working folder is ``folder``; the first error stops with its traceback."""
    # On two threads these small tensors are many times slower, and the last digits differ.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        coalesce_streams=True,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=KERNEL_ARGUMENTS,
    )
    return client.execute(env=environment)


def refresh(path: Path, url: str) -> None:
    """Execute a notebook and write it back normalized."""
    notebook = nbformat.read(path, as_version=4)
    write(normalize(execute(normalize(notebook, url), path.parent), url), path)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m stablenets.book.notebooks", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("refresh", help="execute notebooks and write them back in the form that is committed")
    command.add_argument("notebooks", nargs="*", type=Path, help="default: all notebooks of the book")
    for path in parser.parse_args(arguments).notebooks or paths():
        start = time.perf_counter()
        refresh(path, repository_url())
        print(f"{path}: executed in {time.perf_counter() - start:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
