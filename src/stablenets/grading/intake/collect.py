"""Take in what a class handed in: a folder or a zip, as people and learning platforms lay them out."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from stablenets.grading import platforms
from stablenets.grading.intake.entries import Entry, Refused, in_folder, in_zip
from stablenets.grading.records import Submission
from stablenets.grading.text import plain

LARGEST = 10 * 2**20
# What one student may hand in as a zip: so many files, and so many times the size of a notebook.
MOST_IN_ZIP, ZIP_FACTOR = 50, 4


def collect(path: Path, largest: int = LARGEST, without: Path | None = None) -> Iterator[Submission]:
    """Yield everything that was handed in, one submission at a time, in the order of the students.

    Taken in are a notebook; a folder or a zip of notebooks, one for each student; of folders, one for each student,
    with notebooks or a zip of notebooks anywhere below. Canvas and Moodle put the student's name and number into the
    names of files and folders: they are found there. Hidden files are ignored, and what a student adds to a notebook.
    Whatever else there is (a link, a pipe, too large a file, a folder without a notebook) is a submission with a
    problem, so that nobody is lost.

    Args:
        path: of the notebook, the folder or the zip.
        largest: bytes of one notebook.
        without: a folder that is left out, since no student made it: the one of the results.

    Raises:
        ValueError: ``path`` is none of these, or is itself the folder to leave out.
    """
    try:
        if path.is_dir():
            entries = _outside(path, without) if without else in_folder(path)
        elif path.suffix.lower() == ".zip":
            entries = in_zip(path)
        elif path.suffix.lower() == ".ipynb":
            entries = (entry for entry in in_folder(path.parent) if entry.parts == (path.name,))
        else:
            raise ValueError(f"submissions must be a notebook, a folder or a zip, got {str(path)!r}")
        owned = sorted(((_owner(entry.parts), entry) for entry in entries), key=lambda pair: (pair[0], pair[1].parts))
        yield from _numbered(_all(owned, largest))
    except Refused as error:
        raise ValueError(f"submissions: {path}: {error}") from None


def _outside(path: Path, without: Path) -> Iterator[Entry]:
    inside, left_out = path.resolve(), without.resolve()
    if left_out == inside:
        raise ValueError(f"the folder of the results must be another than that of the submissions, got {str(path)!r}")
    if not left_out.is_relative_to(inside):
        return in_folder(path)
    own = left_out.relative_to(inside).parts
    return (entry for entry in in_folder(path) if entry.parts[: len(own)] != own)


def _owner(parts: tuple[str, ...]) -> tuple[str, str]:
    """Return the student's name and number on the platform, as the name of the folder or file tells."""
    if known := platforms.owner(parts[0]):
        return known
    return (parts[0] if len(parts) > 1 else parts[0].rpartition(".")[0] or parts[0]), ""


def _all(owned: list[tuple[tuple[str, str], Entry]], largest: int) -> Iterator[Submission]:
    for (name, identifier), group in itertools.groupby(owned, key=lambda pair: pair[0]):
        student, others = plain(name, 100) or "?", []
        any_notebook = False
        for _, entry in group:
            for parts, content, problem in _read(entry, largest):
                if problem or content is not None:
                    any_notebook = True
                    key = plain("/".join(parts), 300) or "?"
                    yield Submission(key, student, identifier, content or b"", problem)
                else:
                    others.append(parts)
        if not any_notebook:
            names = plain(", ".join("/".join(parts) for parts in others), 200)
            yield Submission(plain("/".join(others[0]), 300), student, identifier, b"", f"no notebook, only {names}")


def _read(entry: Entry, largest: int) -> Iterator[tuple[tuple[str, ...], bytes | None, str]]:
    """Yield (where, content, problem) for each notebook of an entry, (where, None, "") for what is none."""
    if entry.problem:
        yield entry.parts, None, entry.problem
        return
    try:
        if entry.suffix == ".zip":
            for inner in in_zip(entry.read(ZIP_FACTOR * largest), MOST_IN_ZIP):
                where = entry.parts + inner.parts
                if inner.suffix == ".zip":
                    yield where, None, "a zip within a zip is not opened"
                else:
                    yield from _read(inner._replace(parts=where), largest)
        elif entry.suffix == ".ipynb":
            yield entry.parts, entry.read(largest), ""
        else:
            yield entry.parts, None, ""
    except Refused as error:
        yield entry.parts, None, str(error)


def _numbered(submissions: Iterable[Submission]) -> Iterator[Submission]:
    """Make keys unique where names differ only in what cannot be shown."""
    seen: dict[str, int] = {}
    for submission in submissions:
        count = seen[submission.key] = seen.get(submission.key, 0) + 1
        yield submission if count == 1 else submission._replace(key=f"{submission.key} ({count})")
