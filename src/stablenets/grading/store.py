"""The results of grading: one SQLite file, in which every submission has one row, written as it comes."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stablenets.grading import secret
from stablenets.grading.records import Origin, Outcome, PartMark

# Told apart from the files of other programs, and from those of later versions of this one.
APPLICATION, VERSION = 0x53744E74, 2
# Seconds for which a reader and the writer wait for each other.
PATIENCE = 30
TABLES = """
create table secret (bytes blob not null);
create table outcome (
    key text primary key, student text not null, identifier text not null, digest text not null,
    chapter text not null, problem text not null, texts text not null, notes text not null, seconds real not null,
    ran_out_of text not null, time_limit real not null
);
create table part (
    key text not null references outcome on delete cascade, position integer not null,
    exercise text not null, part text not null, points integer not null, maximum integer not null,
    message text not null, blank integer not null,
    primary key (key, position)
);
"""
# Files of version 1 tell in words that an answer is blank, and the time limit of what ran out of time in its digest.
FROM_VERSION_1 = """
begin immediate;
alter table part add column blank integer not null default 0;
update part set blank = message like '%not answered yet%';
alter table outcome add column ran_out_of text not null default '';
alter table outcome add column time_limit real not null default 0;
update outcome set ran_out_of = 'time', digest = substr(digest, 1, instr(digest, ' within ') - 1),
    time_limit = cast(substr(digest, instr(digest, ' within ') + length(' within ')) as real)
    where digest like '% within %';
pragma user_version = 2;
commit;
"""
PART = ", ".join(PartMark._fields)
OUTCOME = ", ".join(name for name in Outcome._fields if name != "parts")


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
        with _as_store_error(path, "read"):
            self._base = sqlite3.connect(address, timeout=PATIENCE, isolation_level=None, uri=True)
            try:
                self._lock = _locked(path) if writing else None
                version = self._checked()
                if version < VERSION and not writing:
                    self._base = _copied_to_memory(self._base)
                self._base.execute("pragma foreign_keys = on")
                # A row that was acknowledged is on the disk, even if the power fails at once.
                self._base.execute("pragma synchronous = extra")
                if writing:
                    # Better now than after the first submission.
                    with _as_store_error(path, "written"):
                        self._base.execute(f"pragma user_version = {version}")
                if version < VERSION:
                    self._base.executescript(FROM_VERSION_1)
                self._base.execute(f"pragma query_only = {not writing}")
            except BaseException:
                self.close()
                raise

    def _checked(self) -> int:
        """Read the secret and return the version of a file that is ours and sound."""
        ours, version = (
            self._base.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if ours != APPLICATION or not 1 <= version <= VERSION:
            raise StoreError(f"{self.path} does not hold results of this version of stablenets")
        row = self._base.execute("select bytes from secret").fetchone()
        if row is None or self._base.execute("pragma quick_check(1)").fetchone() != ("ok",):
            raise StoreError(f"{self.path} cannot be read: it is damaged")
        self._secret: bytes = row[0]
        return version

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
            with _as_store_error(path, "written"), closing(sqlite3.connect(draft)) as base:
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
        values = outcome._asdict() | {"texts": json.dumps(outcome.texts), "notes": json.dumps(outcome.notes)}
        parts = values.pop("parts")
        key = _text(outcome.key)
        with _as_store_error(self.path, "written"), self._base as base:
            base.execute("begin immediate")
            base.execute("delete from outcome where key = ?", (key,))
            _insert(base, "outcome", OUTCOME, values.values())
            for position, part in enumerate(parts):
                _insert(base, "part", f"key, position, {PART}", [key, position, *part])

    def origins(self) -> dict[str, Origin]:
        """Return from what every row was made, by key."""
        with _as_store_error(self.path, "read"):
            rows = self._base.execute(f"select key, {', '.join(Origin._fields)} from outcome").fetchall()
        return {key: Origin(*origin) for key, *origin in rows}

    def outcomes(self) -> list[Outcome]:
        """Return all rows, by student, chapter and key."""
        parts: dict[str, list[PartMark]] = {}
        with _as_store_error(self.path, "read"), self._base as base:
            # One look at both tables: between two, a run could write a row.
            base.execute("begin")
            for key, *part, blank in base.execute(f"select key, {PART} from part order by key, position"):
                parts.setdefault(key, []).append(PartMark(*part, bool(blank)))
            rows = base.execute(f"select {OUTCOME} from outcome order by student, chapter, key").fetchall()
        outcomes = [Outcome(**dict(zip(OUTCOME.split(", "), row))) for row in rows]
        return [
            outcome._replace(
                parts=tuple(parts.get(outcome.key, ())),
                texts=tuple((exercise, text) for exercise, text in json.loads(outcome.texts)),
                notes=tuple(json.loads(outcome.notes)),
            )
            for outcome in outcomes
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


def _copied_to_memory(base: sqlite3.Connection) -> sqlite3.Connection:
    """Copy an older file that is only to be read: the copy can be given the form of today."""
    with closing(base):
        copy = sqlite3.connect(":memory:", isolation_level=None)
        base.backup(copy)
    return copy


@contextmanager
def _as_store_error(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be {what}: {error}") from error


def _text(value: str) -> str:
    """What SQLite can hold: lone surrogates written out, so that two keys stay two."""
    return value.encode("utf-8", "backslashreplace").decode()


def _insert(base: sqlite3.Connection, table: str, columns: str, values: Iterable[Any]) -> None:
    row = [_text(value) if isinstance(value, str) else value for value in values]
    base.execute(f"insert into {table} ({columns}) values ({', '.join('?' * len(row))})", row)
