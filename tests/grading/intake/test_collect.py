"""Whatever lies in what was handed in ends in one submission, graded or with a reason; nothing else is touched."""

import io
import os
import socket
import stat
import struct
import zipfile

import pytest

from stablenets.grading.intake import entries
from stablenets.grading.intake.collect import MOST_IN_ZIP, collect

BOOK = b'{"cells": []}'


def write(path, content=BOOK):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def zipped(**files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def rows(path, **options):
    return list(collect(path, **options))


def only(path, **options):
    (row,) = rows(path, **options)
    return row


def test_single_notebook(tmp_path):
    write(tmp_path / "ash.ipynb")
    write(tmp_path / "other.ipynb")
    assert only(tmp_path / "ash.ipynb") == ("ash.ipynb", "ash", "", BOOK, "")


@pytest.mark.parametrize("place", ["results", "birch/results"])
def test_folder_of_results_is_no_submission(tmp_path, place):
    write(tmp_path / "ash.ipynb")
    write(tmp_path / "birch" / "a.ipynb")
    write(tmp_path / place / "results.sqlite")
    write(tmp_path / place / "feedback" / "ash.html")
    assert [row.key for row in rows(tmp_path, without=tmp_path / place)] == ["ash.ipynb", "birch/a.ipynb"]


def test_folder_of_submissions_for_results_is_refused(tmp_path):
    with pytest.raises(ValueError, match="folder of the results must be another than that of the submissions"):
        rows(tmp_path, without=tmp_path / "results" / "..")


def test_folder_of_notebooks_and_folder_of_folders(tmp_path):
    write(tmp_path / "ash.ipynb")
    write(tmp_path / "birch" / "week" / "a.ipynb")
    write(tmp_path / "birch" / "week" / "b.ipynb")
    assert [(row.student, row.key) for row in rows(tmp_path)] == [
        ("ash", "ash.ipynb"), ("birch", "birch/week/a.ipynb"), ("birch", "birch/week/b.ipynb"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "student", "identifier"),
    [
        ("ashann_12345_67890_initialization-2.ipynb", "ashann", "12345"),
        ("ashann_LATE_12345_67890_initialization.ipynb", "ashann", "12345"),
        ("Ann Ash_1234567_assignsubmission_file_/initialization.ipynb", "Ann Ash", "1234567"),
        ("Ann Ash_1234567_assignsubmission_file_initialization.ipynb", "Ann Ash", "1234567"),
        ("ann_ash.ipynb", "ann_ash", ""),
        ("ann ash/initialization/initialization.ipynb", "ann ash", ""),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_names_tell_the_student_as_platforms_write_them(tmp_path, name, student, identifier, packed):
    if packed:
        (tmp_path / "all.zip").write_bytes(zipped(**{name: BOOK}))
    else:
        write(tmp_path / name)
    row = only(tmp_path / "all.zip" if packed else tmp_path)
    assert (row.student, row.identifier, row.content, row.problem) == (student, identifier, BOOK, "")


def test_students_come_in_the_same_order_from_a_folder_and_from_a_zip(tmp_path):
    names = [f"{letter}/x.ipynb" for letter in "zbymac"]
    (tmp_path / "all.zip").write_bytes(zipped(**dict.fromkeys(names, BOOK)))
    for name in names:
        write(tmp_path / "all" / name)
    assert rows(tmp_path / "all.zip") == rows(tmp_path / "all")


def test_zip_that_one_student_hands_in(tmp_path):
    write(tmp_path / "ash" / "work.zip", zipped(**{"a.ipynb": BOOK, "data.csv": b"1", "__MACOSX/._a.ipynb": b"x"}))
    assert only(tmp_path).key == "ash/work.zip/a.ipynb"


def test_zip_in_a_zip_is_not_opened(tmp_path):
    write(tmp_path / "ash" / "work.zip", zipped(**{"inner.zip": zipped(**{"a.ipynb": BOOK})}))
    assert only(tmp_path).problem == "a zip within a zip is not opened"


def test_what_lies_beside_a_notebook_is_no_submission(tmp_path):
    for name in ("a.ipynb", "data.csv", ".ipynb_checkpoints/a-checkpoint.ipynb", ".DS_Store", "__MACOSX/a.ipynb"):
        write(tmp_path / "ash" / name)
    assert [row.key for row in rows(tmp_path)] == ["ash/a.ipynb"]


def test_student_without_a_notebook_is_not_lost(tmp_path):
    write(tmp_path / "ash" / "a.py")
    write(tmp_path / "ash" / "b.pdf")
    (tmp_path / "birch").mkdir()
    assert [(row.student, row.problem) for row in rows(tmp_path)] == [
        ("ash", "no notebook, only ash/a.py, ash/b.pdf"), ("birch", "the folder is empty"),
    ]  # fmt: skip


def test_links_pipes_and_sockets_are_neither_followed_nor_opened(tmp_path):
    write(tmp_path / "secret" / "x.ipynb")
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / "file.ipynb").symlink_to(tmp_path / "secret" / "x.ipynb")
    (handed / "folder").symlink_to(tmp_path / "secret")
    (handed / "gone.ipynb").symlink_to("nowhere")
    (handed / "loop").symlink_to(handed)
    os.mkfifo(handed / "pipe.ipynb")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(handed / "socket.ipynb"))
        found = {row.student: row for row in rows(handed)}
    assert {found[name].problem for name in ("file", "folder", "gone", "loop")} == {entries.LINK}
    assert found["pipe"].problem == found["socket"].problem == entries.SPECIAL
    assert not any(row.content for row in found.values())


def test_what_becomes_a_pipe_or_a_link_after_it_was_listed_is_not_read(tmp_path):
    write(tmp_path / "a" / "x.ipynb")
    write(tmp_path / "b" / "x.ipynb")
    write(tmp_path / "c" / "x.ipynb")
    listed = list(entries.in_folder(tmp_path))
    for student in "abc":
        (tmp_path / student / "x.ipynb").unlink()
    os.mkfifo(tmp_path / "a" / "x.ipynb")
    (tmp_path / "b" / "x.ipynb").symlink_to("/etc/hostname")
    for entry in listed:
        with pytest.raises(entries.Refused):
            entry.read(100)


def test_too_large_a_notebook(tmp_path):
    write(tmp_path / "fits.ipynb", b" " * 1000)
    write(tmp_path / "large.ipynb", b" " * 1001)
    (tmp_path / "all.zip").write_bytes(zipped(**{"large.ipynb": b" " * 1001}))
    assert [(row.key, bool(row.problem)) for row in rows(tmp_path, largest=1000)] == [
        ("all.zip/large.ipynb", True), ("fits.ipynb", False), ("large.ipynb", True),
    ]  # fmt: skip
    assert only(tmp_path / "all.zip", largest=2**20 - 1).problem == ""


def test_zip_bomb_costs_no_more_than_the_limit(tmp_path):
    (tmp_path / "all.zip").write_bytes(zipped(**{"bomb.ipynb": bytes(2**26)}))
    row = only(tmp_path / "all.zip", largest=2**20)
    assert row.problem == "it is larger than 1 MiB"
    assert row.content == b""


def test_zip_that_lies_about_a_size(tmp_path):
    data = bytearray(zipped(**{"x.ipynb": bytes(5000)}))
    for signature, offset in [(b"PK\x03\x04", 22), (b"PK\x01\x02", 24)]:
        struct.pack_into("<I", data, data.index(signature) + offset, 10)
    (tmp_path / "all.zip").write_bytes(data)
    row = only(tmp_path / "all.zip", largest=1000)
    assert row.problem or len(row.content) <= 10


@pytest.mark.parametrize(
    "name", ["../out.ipynb", "/etc/out.ipynb", "a/../../out.ipynb", "..\\out.ipynb", "C:/out.ipynb"]
)
def test_path_that_leads_out_of_a_zip(tmp_path, name):
    (tmp_path / "all.zip").write_bytes(zipped(**{name: BOOK}))
    before = sorted(tmp_path.parent.rglob("*.ipynb"))
    assert only(tmp_path / "all.zip").problem == "its path leads out of the zip"
    assert sorted(tmp_path.parent.rglob("*.ipynb")) == before


def test_link_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        link = zipfile.ZipInfo("x.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert only(tmp_path / "all.zip").problem == entries.LINK


def test_encrypted_damaged_and_unknown_compression(tmp_path):
    whole = zipped(**{"x.ipynb": bytes(1000)})
    encrypted, damaged, unknown = bytearray(whole), bytearray(whole), bytearray(whole)
    for signature, offset in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
        encrypted[encrypted.index(signature) + offset] |= 1
        struct.pack_into("<H", unknown, unknown.index(signature) + offset + 2, 77)
    struct.pack_into("<I", damaged, damaged.index(b"PK\x01\x02") + 16, 12345)
    for name, data in {"encrypted": encrypted, "damaged": damaged, "unknown": unknown}.items():
        write(tmp_path / name / "work.zip", bytes(data))
    write(tmp_path / "cut" / "work.zip", whole[:40])
    write(tmp_path / "none" / "work.zip", b"not a zip")
    write(tmp_path / "right" / "x.ipynb")
    found = {row.student: row.problem for row in rows(tmp_path)}
    assert found["encrypted"] == "it is encrypted"
    assert found["damaged"].startswith("it cannot be unpacked: ")
    assert found["unknown"].startswith("it cannot be unpacked: ")
    assert found["cut"].startswith("the zip cannot be opened")
    assert found["none"].startswith("the zip cannot be opened")
    assert found["right"] == ""


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_two_submissions(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("x.ipynb", b"1")
        archive.writestr("x.ipynb", b"2")
    assert [(row.key, row.content) for row in rows(tmp_path / "all.zip")] == [("x.ipynb", b"1"), ("x.ipynb (2)", b"2")]


def test_too_many_files_in_a_students_zip(tmp_path):
    write(tmp_path / "ash" / "work.zip", zipped(**{f"{n}.ipynb": BOOK for n in range(MOST_IN_ZIP + 5)}))
    found = rows(tmp_path)
    assert len(found) == MOST_IN_ZIP + 1
    assert "more than 50 files" in next(row.problem for row in found if row.problem)


def test_too_many_files_and_too_deep_a_folder(tmp_path, monkeypatch):
    write(tmp_path / "/".join("d" * (entries.DEEPEST + 3)) / "x.ipynb")
    assert "deep" in only(tmp_path).problem
    monkeypatch.setattr(entries, "MOST_ENTRIES", 5)
    for number in range(10):
        write(tmp_path / "many" / f"{number}.ipynb")
    assert any("more than 5 files" in row.problem for row in rows(tmp_path))


def test_names_of_any_bytes_give_keys_that_can_be_shown_and_are_unique(tmp_path):
    for name in (
        b"a\nb.ipynb",
        b"a\x1b[31m.ipynb",
        b"a b.ipynb",
        b"\xff\xfe.ipynb",
        b"\xfe\xff.ipynb",
        b"x" * 240 + b".ipynb",
    ):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(BOOK)
    write(tmp_path / "=1+1" / "'\"<b>.ipynb")
    found = rows(tmp_path)
    assert len({row.key for row in found}) == len(found) == 7
    assert all(row.key.isprintable() and row.student.isprintable() and row.student for row in found)
    assert all(row.content == BOOK for row in found)


def test_folder_that_cannot_be_read_and_file_that_vanishes(tmp_path, monkeypatch):
    write(tmp_path / "ash" / "x.ipynb")
    listed = list(entries.in_folder(tmp_path))
    (tmp_path / "ash" / "x.ipynb").unlink()
    with pytest.raises(entries.Refused, match="it cannot be read: No such file"):
        listed[0].read(10)
    usual = os.scandir

    def denied(path):
        if str(path).endswith("ash"):
            raise PermissionError(13, "Permission denied")
        return usual(path)

    monkeypatch.setattr(os, "scandir", denied)
    assert only(tmp_path).problem == "the folder cannot be read: Permission denied"


@pytest.mark.parametrize("name", ["missing", "notes.txt", "broken.zip"])
def test_what_is_neither_notebook_nor_folder_nor_zip_is_refused(tmp_path, name):
    if name != "missing":
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ValueError, match="submissions"):
        rows(tmp_path / name)
