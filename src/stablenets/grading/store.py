"""The results of grading: one SQLite file, in which every submission has one row, written as it comes."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from stablenets.grading import secret
from stablenets.grading.records import Outcome, PartMark

# Told apart from the files of other programs, and from those of later versions of this one.
APPLICATION, VERSION = 0x53744E74, 1
# Seconds for which a reader and the writer wait for each other.
PATIENCE = 30
TABLES = """
create table secret (bytes blob not null);
create table outcome (
    key text primary key, student text not null, identifier text not null, digest text not null,
    chapter text not null, problem text not null, texts text not null, notes text not null, seconds real not null
);
create table part (
    key text not null references outcome on delete cascade, position integer not null,
    exercise text not null, part text not null, points integer not null, maximum integer not null,
    message text not null,
    primary key (key, position)
);
"""


class StoreError(RuntimeError):
    """The file of results cannot be used."""


class Store:
    """An open file of results, and the secret from which the seeds of its checks come.

    Args:
        path: of the file.
        writing: False to read only, which may be done while another process writes.

    Raises:
        StoreError: missing, not such a file, damaged, of a later version, or in use by another run.
    """

    def __init__(self, path: Path, *, writing: bool = True) -> None:
        if not path.is_file():
            raise StoreError(f"{path} is not a file" if path.exists() else f"{path} is missing: grade first")
        self.path, self._lock = path, None
        # Readers open it for writing too: a row in whose middle a run was killed is undone by who comes next.
        address = f"{path.absolute().as_uri()}?mode=rw"
        with _told(path, "read"):
            self._base = sqlite3.connect(address, timeout=PATIENCE, isolation_level=None, uri=True)
            try:
                self._lock = _locked(path) if writing else None
                self._secret = self._checked()
                self._base.execute("pragma foreign_keys = on")
                # A row that was acknowledged is on the disk, even if the power fails at once.
                self._base.execute("pragma synchronous = extra")
                self._base.execute(f"pragma query_only = {not writing}")
                if writing:
                    # Better now than after the first submission.
                    with _told(path, "written"):
                        self._base.execute(f"pragma user_version = {VERSION}")
            except BaseException:
                self.close()
                raise

    def _checked(self) -> bytes:
        """Return the secret of a file that is ours and sound."""
        found = [self._base.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version")]
        if found != [APPLICATION, VERSION]:
            raise StoreError(f"{self.path} does not hold results of this version of stablenets")
        row = self._base.execute("select bytes from secret").fetchone()
        if row is None or self._base.execute("pragma quick_check(1)").fetchone() != ("ok",):
            raise StoreError(f"{self.path} cannot be read: it is damaged")
        return row[0]

    @classmethod
    def create(cls, path: Path, given: bytes | None = None) -> Self:
        """Make a new file; without a secret ``given``, one is drawn.

        Raises:
            StoreError: the file exists.
        """
        # Built beside and then given its name, so that a file of this name is always whole.
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))  # it holds the secret
        try:
            with _told(path, "written"), closing(sqlite3.connect(draft)) as base:
                base.executescript(f"{TABLES} pragma application_id = {APPLICATION}; pragma user_version = {VERSION};")
                base.execute("insert into secret values (?)", (given or secret.new(),))
                base.commit()
            os.link(draft, path)  # unlike a renaming, never over another
        except FileExistsError as error:
            raise StoreError(f"{path} exists already") from error
        finally:
            draft.unlink()
        return cls(path)

    def seed(self, exercise: str) -> int:
        """Return the secret seed of an exercise, in [0, 2³¹): the same in every run on this file."""
        return secret.seed(self._secret, exercise)

    def put(self, outcome: Outcome) -> None:
        """Write a submission's row, in place of the one it had; it is there when this returns."""
        *plain, parts, texts, notes, seconds = outcome
        row = [_text(value) for value in plain] + [json.dumps(texts), json.dumps(notes), seconds]
        key = _text(outcome.key)
        with _told(self.path, "written"), self._base as base:
            base.execute("begin immediate")
            base.execute("delete from outcome where key = ?", (key,))
            base.execute(f"insert into outcome values ({', '.join('?' * len(row))})", row)
            for position, part in enumerate(parts):
                values = [key, position, part.exercise, part.part, part.points, part.maximum, _text(part.message)]
                base.execute("insert into part values (?, ?, ?, ?, ?, ?, ?)", values)

    def digests(self) -> dict[str, str]:
        """Return the digest of what every row was graded from, by key."""
        with _told(self.path, "read"):
            return dict(self._base.execute("select key, digest from outcome"))

    def outcomes(self) -> list[Outcome]:
        """Return all rows, by student, chapter and key."""
        parts: dict[str, list[PartMark]] = {}
        columns = "key, exercise, part, points, maximum, message"
        with _told(self.path, "read"), self._base as base:
            # One look at both tables: between two, a run could write a row.
            base.execute("begin")
            for key, *part in base.execute(f"select {columns} from part order by key, position"):
                parts.setdefault(key, []).append(PartMark(*part))
            rows = base.execute("select * from outcome order by student, chapter, key").fetchall()
        return [
            Outcome(*plain, tuple(parts.get(plain[0], ())), _pairs(texts), tuple(json.loads(notes)), seconds)
            for *plain, texts, notes, seconds in rows
        ]

    def close(self) -> None:
        self._base.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _locked(path: Path) -> int:
    """Let no second run write; the system takes the lock away when this process ends, however it ends."""
    import fcntl  # not on Windows, where nothing is graded

    # On the folder: SQLite's own locks on its file would go with the first descriptor of it that is closed.
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreError(f"{path} is in use by another run") from error
    return descriptor


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be {what}: {error}") from error


def _text(value: str) -> str:
    """What SQLite can hold: lone surrogates written out, so that two keys stay two."""
    return value.encode("utf-8", "backslashreplace").decode()


def _pairs(texts: str) -> tuple[tuple[str, str], ...]:
    return tuple((exercise, text) for exercise, text in json.loads(texts))
