"""Notebooks as files: the masters of a folder found, a notebook read with the fault in a line, files written whole."""

import os
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

# The kernel warns at every start that its local sockets are not encrypted.
KERNEL_ARGUMENTS = ["--IPKernelApp.log_level=ERROR"]


def masters(solutions: Path, chapters: Sequence[str] = ()) -> list[Path]:
    """Return the paths of the master notebooks, all or those of the chapters named.

    Raises:
        ValueError: there is none, or none of a chapter named.
    """
    paths = {path.stem: path for path in sorted(solutions.glob("*.ipynb"))}
    if not paths:
        raise ValueError(
            f"solutions must be the folder of the master notebooks, got {str(solutions)!r}, which has none"
        )
    if unknown := [chapter for chapter in chapters if chapter not in paths]:
        raise ValueError(f"chapters must be among {', '.join(paths)}, got {', '.join(unknown)}")
    return [paths[chapter] for chapter in chapters or paths]


def read(path: Path) -> NotebookNode:
    """Return the notebook in a file.

    Raises:
        ValueError: it is none; the text names the file.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook, relax_add_props=True)
    except (ValueError, TypeError, KeyError, AttributeError, nbformat.ValidationError) as error:
        # nbformat's own words do not say of which file it speaks, and go on for many lines.
        first, _, _ = str(error).partition("\n")
        raise ValueError(f"{path} is not a notebook: {first}") from error
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all."""
    write_text(path, nbformat.writes(notebook) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file that is there whole or, if this process ends meanwhile, as it was before."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
