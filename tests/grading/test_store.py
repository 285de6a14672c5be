"""Results are there or not, never in part, and only one run writes them."""

import ctypes
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sandboxed import comes

from stablenets.grading.records import Origin, Outcome, PartMark
from stablenets.grading.sandbox.inside import confine
from stablenets.grading.store import Store, StoreError

ROW = Outcome(
    "ash/x.ipynb", "ash", "12", "digest", "initialization", "",
    (PartMark("a", "first", 1, 2, "wrong: é"), PartMark("a", "second", 0, 2, "not answered", blank=True)),
    (("open", "words"),), ("a note",), 1.5, ran_out_of="time", time_limit=600.0,
)  # fmt: skip

CAP_DAC_OVERRIDE = 1


@pytest.fixture
def store(tmp_path):
    with Store.create(tmp_path / "results.sqlite") as made:
        yield made


def test_rows_come_back_as_they_were(store):
    store.put(ROW)
    store.put(Outcome("b", "birch", "", "d", problem="it is a link"))
    assert store.outcomes() == [ROW, Outcome("b", "birch", "", "d", problem="it is a link")]
    assert store.origins() == {"ash/x.ipynb": ROW.origin, "b": Origin("d")}


def test_new_row_replaces_the_old_one_with_all_its_parts(store):
    store.put(ROW)
    store.put(ROW._replace(digest="new", parts=ROW.parts[:1]))
    assert store.outcomes() == [ROW._replace(digest="new", parts=ROW.parts[:1])]
    store.put(ROW._replace(digest="newer", problem="broken", parts=()))
    assert store.outcomes()[0].parts == ()


def test_rows_are_in_order_of_student_chapter_and_key(store):
    keys = [("b", "x", "2"), ("a", "y", "1"), ("a", "x", "4"), ("a", "x", "3")]
    for student, chapter, key in keys:
        store.put(Outcome(key, student, "", "", chapter))
    assert [(row.student, row.chapter, row.key) for row in store.outcomes()] == sorted(keys)


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "'; drop table outcome; --", "x" * 10**6, "‮"])
def test_hostile_text_is_stored_and_breaks_nothing(store, text):
    store.put(Outcome(text, text, text, text, text, text, (PartMark("a", "b", 0, 1, text),), ((text, text),), (text,)))
    (row,) = store.outcomes()
    assert row.problem == text.encode("utf-8", "backslashreplace").decode()
    assert store.origins().keys() == {row.key}


def test_keys_that_differ_only_in_what_cannot_be_stored_stay_two_rows(store):
    for key in ("\ud800", "\udfff", "?"):
        store.put(Outcome(key, "x", "", "d"))
    assert len(store.outcomes()) == 3


def test_row_that_cannot_be_written_leaves_the_old_one(store):
    store.put(ROW)
    with pytest.raises(StoreError, match="cannot be written: NOT NULL"):
        store.put(ROW._replace(parts=(PartMark("a", "b", None, 1, ""),)))
    assert store.outcomes() == [ROW]
    store.put(ROW._replace(digest="later"))
    assert store.origins()[ROW.key].digest == "later"


def test_full_disk_is_told_and_leaves_the_old_rows(store, monkeypatch):
    store.put(ROW)
    store.close()
    connect = sqlite3.connect

    def to_a_full_disk(*arguments, **options):
        base = connect(*arguments, **options)
        base.execute("pragma max_page_count = 1")  # no more than the file has
        return base

    monkeypatch.setattr(sqlite3, "connect", to_a_full_disk)
    with Store(store.path) as full:
        with pytest.raises(StoreError, match="cannot be written: database or disk is full"):
            full.put(ROW._replace(notes=("y" * 10**6,)))
        assert full.outcomes() == [ROW]


def test_seeds_stay_the_same_and_differ_between_exercises_and_stores(tmp_path, store):
    store.close()
    (tmp_path / "another").mkdir()
    with Store(store.path) as again, Store.create(tmp_path / "another" / "results.sqlite") as other:
        seeds = [again.seed(f"exercise-{number}") for number in range(1000)]
        assert len(set(seeds)) > 990
        assert all(0 <= seed < 2**31 for seed in seeds)
        assert [store.seed(f"exercise-{number}") for number in range(1000)] == seeds
        assert [other.seed(f"exercise-{number}") for number in range(1000)] != seeds


def test_known_secret_gives_known_seed(tmp_path):
    # HMAC-SHA256 with the key "key" of "The quick brown fox jumps over the lazy dog" starts with f7bc83f4.
    with Store.create(tmp_path / "x", b"key") as made:
        assert made.seed("The quick brown fox jumps over the lazy dog") == 0xF7BC83F4 >> 1


def test_only_the_owner_may_read_the_secret(store):
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_one_file_is_left(store):
    store.put(ROW)
    store.close()
    assert os.listdir(store.path.parent) == ["results.sqlite"]


def test_second_writer_is_told_and_a_reader_is_let_in(store):
    store.put(ROW)
    with pytest.raises(StoreError, match="in use by another run"):
        Store(store.path)
    with Store(store.path, writing=False) as reader:
        assert reader.outcomes() == [ROW]
        with pytest.raises(StoreError, match="cannot be written"):
            reader.put(ROW)


@pytest.fixture
def version_1(tmp_path):
    """A file of results as the grader of version 1 wrote it."""
    path = tmp_path / "results.sqlite"
    with closing(sqlite3.connect(path)) as base:
        base.executescript(Path(__file__).with_name("results_of_version_1.sql").read_text(encoding="utf-8"))
    return path


@pytest.mark.parametrize("writing", [True, False])
def test_rows_of_version_1_are_read_and_what_they_told_in_words_is_told_in_fields(version_1, writing):
    with Store(version_1, writing=writing) as store:
        ash, birch, cedar = store.outcomes()
        assert store.origins() == {row.key: row.origin for row in (ash, birch, cedar)}
    assert [(part.points, part.blank) for part in ash.parts] == [(3, False), (0, False), (0, True)]
    assert (ash.digest, ash.ran_out_of, ash.texts) == ("a1", "", (("open", "Because."),))
    assert birch.origin == Origin("b2", "time", 600.0)
    assert birch.notes[0] == "code cell 1 raised ValueError: é"
    assert cedar == Outcome("cedar.ipynb", "cedar", "", "c3", problem="the file is empty")


def test_file_of_version_1_is_left_as_it_is_by_who_only_reads_it(version_1):
    before = version_1.read_bytes()
    with Store(version_1, writing=False) as store, pytest.raises(StoreError, match="cannot be written"):
        store.put(ROW)
    assert version_1.read_bytes() == before


def test_file_of_version_1_takes_new_rows_and_keeps_its_seeds(version_1):
    with Store(version_1, writing=False) as store:
        seed, rows = store.seed("double"), store.outcomes()
    with Store(version_1) as store:
        store.put(ROW._replace(key="new", student="zelkova"))
    with Store(version_1) as again:
        assert again.outcomes() == [*rows, ROW._replace(key="new", student="zelkova")]
        assert again.seed("double") == seed


def test_existing_file_is_never_written_over(store):
    with pytest.raises(StoreError, match="exists already"):
        Store.create(store.path)


def other_program(path):
    with sqlite3.connect(path) as base:
        base.execute("create table notes (x)")
    base.close()


def later_version(path):
    Store.create(path).close()
    with sqlite3.connect(path) as base:
        base.execute("pragma user_version = 99")
    base.close()


def damaged(path, where=100):
    with Store.create(path) as store:
        for number in range(20):
            store.put(ROW._replace(key=f"{number}", notes=("a note" * 500,)))
    data = bytearray(path.read_bytes())
    data[where : where + 1000] = b"\xff" * 1000
    path.write_bytes(data)


def truncated(path):
    damaged(path)
    path.write_bytes(path.read_bytes()[:100])


def without_secret(path):
    Store.create(path).close()
    with sqlite3.connect(path) as base:
        base.execute("delete from secret")
    base.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "missing"),
        (lambda path: path.mkdir(), "is not a file"),
        (os.mkfifo, "is not a file"),
        (lambda path: path.write_bytes(b"x" * 5000), "cannot be read"),
        (lambda path: path.write_bytes(b""), "does not hold results"),
        (other_program, "does not hold results"),
        (later_version, "does not hold results"),
        (damaged, "cannot be read"),
        (lambda path: damaged(path, 10 * 4096), "it is damaged"),
        (truncated, "cannot be read"),
        (without_secret, "it is damaged"),
    ],
)
@pytest.mark.parametrize("writing", [True, False])
def test_other_files_are_refused_with_the_reason(tmp_path, make, said, writing):
    make(tmp_path / "x")
    with pytest.raises(StoreError, match=said):
        Store(tmp_path / "x", writing=writing)
    # Nothing is held: another can take its place.
    if (tmp_path / "x").exists():
        (tmp_path / "x").rename(tmp_path / "y")
    Store.create(tmp_path / "x").close()


@contextmanager
def bound_by_permissions():
    """Let root too, for as long as the context lasts, write only what the permissions of a file allow."""
    if os.geteuid() != 0:
        yield
        return
    capget, capset = (getattr(ctypes.CDLL(None, use_errno=True), name) for name in ("capget", "capset"))
    header, before = struct.pack("Ii", confine.CAPABILITY_VERSION, 0), ctypes.create_string_buffer(24)
    assert capget(header, before) == 0
    effective, *others = struct.unpack("6I", before)
    assert capset(header, struct.pack("6I", effective & ~(1 << CAP_DAC_OVERRIDE), *others)) == 0
    try:
        yield
    finally:
        assert capset(header, before) == 0


def test_file_that_may_not_be_written_is_refused_but_read(store):
    store.put(ROW)
    store.close()
    store.path.chmod(0o400)
    with bound_by_permissions():
        with pytest.raises(StoreError, match="cannot be written: attempt to write a readonly database"):
            Store(store.path)
        with Store(store.path, writing=False) as reader:
            assert reader.outcomes() == [ROW]


WRITER = """
import sys
from pathlib import Path
from stablenets.grading.records import Outcome, PartMark
from stablenets.grading.store import Store
with Store(Path(sys.argv[1])) as store:
    for number in range(10**6):
        key = f"{sys.argv[2]}-{number}"
        store.put(Outcome(key, "x", "", "d", parts=tuple(PartMark("e", str(i), 1, 1, "") for i in range(5))))
        print(key, flush=True)
"""


def test_killed_writer_loses_nothing_that_it_had_written(store):
    store.close()
    acknowledged = set()
    for kill in range(20):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, store.path, str(kill)], stdout=subprocess.PIPE, encoding="utf-8"
        )
        read = [writer.stdout.readline() for _ in range(1 + kill % 3)]
        # A moment within the writing of one of the next rows, each time another.
        time.sleep(0.001 * kill)
        writer.send_signal(signal.SIGKILL)
        # A line that was cut off was not acknowledged.
        acknowledged |= {line.strip() for line in [*read, *writer.stdout] if line.endswith("\n")}
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        with Store(store.path) as again:
            rows = again.outcomes()
            assert acknowledged <= {row.key for row in rows}
            assert {len(row.parts) for row in rows} == {5}
    assert len(acknowledged) > 20


KILLED_IN_A_ROW = """
import os, signal, sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
# Without a cache, what is written goes to the file at once, before it is committed.
base.execute("pragma cache_size = 1")
base.execute("begin immediate")
base.execute("update part set message = hex(zeroblob(100))")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("writing", [True, False])
def test_row_in_whose_middle_the_writer_was_killed_is_undone_by_who_comes_next(store, writing):
    rows = [ROW._replace(key=f"{number:03}", parts=ROW.parts * 20) for number in range(50)]
    for row in rows:
        store.put(row)
    store.close()
    before = store.path.read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED_IN_A_ROW, store.path])
    assert killed.returncode == -signal.SIGKILL
    assert store.path.read_bytes() != before
    with Store(store.path, writing=writing) as again:
        assert again.outcomes() == rows
    assert os.listdir(store.path.parent) == ["results.sqlite"]


def test_reader_sees_whole_rows_while_a_run_writes(store):
    store._base.execute("pragma synchronous = off")
    for number in range(300):
        store.put(ROW._replace(key=f"before {number:03}", parts=ROW.parts[:1] * 5))
    store.close()
    script = WRITER.replace("        print", "        time.sleep(0.003)\n        print").replace(
        "import sys", "import sys, time"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, store.path, "x"], stdout=subprocess.PIPE, encoding="utf-8")
    try:
        writer.stdout.readline()
        with Store(store.path, writing=False) as reader:
            seen, counts = [], set()

            def more_rows_are_there():
                rows = reader.outcomes()
                seen.append(len(rows))
                counts.update(len(row.parts) for row in rows)
                return seen[-1] >= seen[0] + 100

            assert comes(more_rows_are_there)
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert counts == {5}
