"""List what lies in a folder or in a zip, without following, opening or unpacking anything that could do harm."""

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import NamedTuple

DEEPEST, MOST_ENTRIES = 20, 100_000
LINK, SPECIAL = "it is a link, not a file", "it is not a file but a device, pipe or socket"
IGNORED = {"__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini"}


class Refused(Exception):
    """This entry is not taken in; the text says why."""


class Entry(NamedTuple):
    """One file: where it lies, and how to get at most so many bytes of it, which raises :class:`Refused`.

    ``problem`` says why it is not taken in, if that is known before it is read.
    """

    parts: tuple[str, ...]
    read: Callable[[int], bytes] = lambda largest: b""
    problem: str = ""

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.parts[-1]).suffix.lower()


def in_folder(folder: Path) -> Iterator[Entry]:
    """List all files below a folder. No link is followed."""
    waiting, count = [(folder, ())], 0
    while waiting:
        path, parts = waiting.pop()
        try:
            found = sorted(os.scandir(path), key=lambda item: item.name)
        except OSError as error:
            yield Entry((*parts, ""), problem=f"the folder cannot be read: {error.strerror}")
            continue
        for item in found:
            name = (*parts, item.name)
            count += 1
            if count > MOST_ENTRIES:
                yield Entry(name, problem=f"there are more than {MOST_ENTRIES} files: from here on none was taken in")
                return
            if ignored(name):
                continue
            if item.is_symlink():
                yield Entry(name, problem=LINK)
            elif item.is_file():
                yield Entry(name, _reader(Path(item.path)))
            elif not item.is_dir():
                yield Entry(name, problem=SPECIAL)
            elif len(name) > DEEPEST:
                yield Entry(name, problem=f"the folder lies more than {DEEPEST} deep")
            else:
                waiting.append((Path(item.path), name))
        if parts and not found:
            # An empty folder says that its student handed in nothing.
            yield Entry((*parts, ""), problem="the folder is empty")


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(largest: int) -> bytes:
        try:
            # It may be another thing than when it was listed: a pipe, which waits for its other end, or a link.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise Refused(f"it cannot be read: {error.strerror}") from None
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused(SPECIAL)
            return _bounded(file.read, largest)

    return read


def _bounded(read: Callable[[int], bytes], largest: int) -> bytes:
    try:
        content = read(largest + 1)
    except OSError as error:
        raise Refused(f"it cannot be read: {error.strerror}") from None
    if len(content) > largest:
        raise Refused(f"it is larger than {largest / 2**20:g} MiB")
    return content


def ignored(parts: tuple[str, ...]) -> bool:
    """Whether a system or a learning platform put it there, not a student."""
    return any(part.startswith(".") or part in IGNORED for part in parts)


def in_zip(source: Path | bytes, most: int = MOST_ENTRIES) -> Iterator[Entry]:
    """List all files in a zip. Nothing is unpacked but in memory, one file at a time.

    Raises:
        Refused: it is not a zip, or is damaged.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Refused(f"the zip cannot be opened: {error}") from None
    # It stays open as long as there are entries to read.
    for count, item in enumerate(archive.infolist()):
        parts = tuple(part for part in item.filename.split("/") if part) or ("",)
        if count >= most:
            yield Entry(parts, problem=f"the zip has more than {most} files: from here on none was taken in")
            return
        if problem := _problem(item):
            yield Entry(parts, problem=problem)
        elif not item.is_dir() and not ignored(parts):
            yield Entry(parts, lambda largest, item=item: _unpacked(archive, item, largest))


def _problem(item: zipfile.ZipInfo) -> str:
    name, kind = item.filename, stat.S_IFMT(item.external_attr >> 16)
    if name.startswith("/") or ".." in name.split("/") or "\\" in name or name[1:2] == ":":
        return "its path leads out of the zip"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return LINK if kind == stat.S_IFLNK else SPECIAL
    return "it is encrypted" if item.flag_bits & 1 else ""


def _unpacked(archive: zipfile.ZipFile, item: zipfile.ZipInfo, largest: int) -> bytes:
    try:
        # The size that the zip states may be a lie.
        with archive.open(item) as file:
            return _bounded(file.read, largest)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Refused(f"it cannot be unpacked: {error}") from None
