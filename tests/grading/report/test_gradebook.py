"""Marks reach the instructor's tables: complete or not there, and no cell of them runs."""

import csv
import os

import pytest

from stablenets.grading.records import Outcome, PartMark
from stablenets.grading.report import gradebook, tables
from stablenets.grading.report.manual import COLUMNS, ManualMark, fingerprint, read_sheet, write_sheet
from stablenets.masters.assignment import Assignment, Question

CODED = Question("coded", "Coded", "function", 3, 0, "")
OPEN = Question("open", "Open", "", 0, 4, "- one point")
ASSIGNMENTS = {
    "first-chapter": Assignment("first-chapter", (CODED, OPEN)),
    "second": Assignment("second", (CODED._replace(exercise="other"),)),
    "third": Assignment("third", (CODED._replace(exercise="unused"),)),
}


def row(key, student, points, words="", chapter="first-chapter", exercise="coded", identifier=""):
    texts = (("open", words),) if chapter == "first-chapter" else ()
    return Outcome(key, student, identifier, "d", chapter, "", (PartMark(exercise, "p", points, 3, "m"),), texts)


FAILED = Outcome("yew", "Yew", "", "d", problem="the file is empty")
ROWS = [
    row("a1", "Ash", 1, "because", identifier="17"),
    row("a2", "Ash", 2, "since", identifier="17"),
    row("a3", "Ash", 3, chapter="second", exercise="other", identifier="17"),
    row("b", "Birch", 3),
    row("c", "=1+1", 0, "x"),
    FAILED,
]


def table(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def book(folder, marks=(), rows=ROWS):
    gradebook.write(folder, rows, ASSIGNMENTS, dict(marks))
    return {path.name: table(path) for path in folder.iterdir()}


def test_better_submission_counts_with_its_manual_marks():
    marks = {("a1", "open"): ManualMark(4), ("a2", "open"): ManualMark(0.5)}
    assert gradebook.totals(ROWS, ASSIGNMENTS, marks)["Ash", "17"]["first-chapter"].points == 5
    assert gradebook.totals(ROWS, ASSIGNMENTS, {})["Ash", "17"]["first-chapter"].outcome.key == "a2"


@pytest.mark.parametrize(
    ("marked", "pending"),
    [
        ({}, ("open", "open")),
        ({"low": 0}, ("open",)),
        ({"high": 3}, ("open",)),
        # 1 + 4 points at most are no more than 2 + 3.
        ({"high": 3, "low": None}, ()),
        ({"high": 0, "low": 4}, ()),
    ],
)
def test_mark_waits_while_another_submission_can_overtake_it(marked, pending):
    low = 1 if None in marked.values() else 2
    rows = [row("high", "Ash", 2, "because"), row("low", "Ash", low, "since")]
    marks = {(key, "open"): ManualMark(points) for key, points in marked.items()}
    assert gradebook.totals(rows, ASSIGNMENTS, marks)["Ash", ""]["first-chapter"].pending == pending


def test_first_of_equal_submissions_counts():
    rows = [row("a", "Ash", 2), row("b", "Ash", 2)]
    assert gradebook.totals(rows, ASSIGNMENTS, {})["Ash", ""]["first-chapter"].outcome.key == "a"


def test_failed_submission_takes_nothing_from_a_graded_one(tmp_path):
    rows = [FAILED._replace(student="Ash"), row("b", "Ash", 2)]
    assert book(tmp_path, rows=rows)["canvas-first-chapter.csv"][2:] == [["Ash", "", "", "", "", "2"]]


def test_chapter_without_assignment_is_told(tmp_path):
    with pytest.raises(ValueError, match="x was graded as 'gone', and there is no master of that name"):
        book(tmp_path, rows=[row("x", "Ash", 2, chapter="gone")])


def test_name_cannot_pass_for_the_row_of_maxima(tmp_path):
    # Canvas looks for these words anywhere in the first cell.
    names = [line[0] for line in book(tmp_path, rows=[row("x", "  Points Possible", 3)])["canvas-first-chapter.csv"]]
    assert sum("Points Possible" in name for name in names) == 1


def test_same_results_give_the_same_bytes(tmp_path):
    for folder in ("one", "other"):
        book(tmp_path / folder)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_canvas_gets_totals_and_no_row_for_what_waits_or_failed(tmp_path):
    marks = {("a1", "open"): ManualMark(0), ("a2", "open"): ManualMark(1.5)}
    found = book(tmp_path, marks)
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert found["canvas-first-chapter.csv"] == [
        [*head, "First chapter"],
        ["Points Possible", "", "", "", "", "7"],
        ["Ash", "17", "", "", "", "3.5"],
        ["Birch", "", "", "", "", "3"],
    ]
    assert found["canvas-second.csv"][1:] == [["Points Possible", "", "", "", "", "3"], ["Ash", "17", "", "", "", "3"]]


def test_canvas_shows_a_name_that_could_be_a_formula(tmp_path):
    marks = {("c", "open"): ManualMark(0)}
    assert book(tmp_path, marks)["canvas-first-chapter.csv"][-1] == ["'=1+1", "", "", "", "", "0"]


def test_moodle_gets_a_worksheet_for_each_chapter(tmp_path):
    found = book(tmp_path)
    of_chapters = [f"{name}-{chapter}.csv" for name in ("canvas", "moodle") for chapter in ("first-chapter", "second")]
    assert sorted(found) == sorted([*of_chapters, "gradescope.csv"])
    assert found["moodle-second.csv"] == [
        ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"],
        ["Participant 17", "Ash", "3", "3", "-"],
    ]


def test_gradescope_has_totals_only_where_all_is_marked(tmp_path):
    marks = {("a1", "open"): ManualMark(1), ("a2", "open"): ManualMark(1)}
    assert book(tmp_path, marks)["gradescope.csv"][:3] == [
        ["Name", "SID", "First chapter", "Second", "Total Score", "Max Points"],
        ["Ash", "17", "3", "3", "6", "10"],
        ["Birch", "", "3", "", "", "10"],
    ]


def test_students_of_one_name_are_told_apart_by_their_number():
    rows = [row("a", "Ash", 1, identifier="1"), row("b", "Ash", 2, identifier="2")]
    assert len(gradebook.totals(rows, ASSIGNMENTS, {})) == 2


def test_empty_class_gives_tables_with_a_heading(tmp_path):
    assert book(tmp_path, rows=[])["gradescope.csv"][0][0] == "Name"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-", "-1", "@x", "\t=1", "\r=1", "'=1", "''=1", " =1", "'plain", "it's", "", "é"]
)
def test_formulas_are_defused_and_come_back(text):
    shown = tables.cell(text)
    assert not shown.startswith(tables.FORMULA) or len(shown) == 1
    assert tables.original(shown) == text


def test_table_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    tables.write_table(path, [["old"]])

    def fails(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        tables.write_table(path, [["new"]])
    assert table(path) == [["old"]]
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "manual.csv"
    write_sheet(path, ROWS, ASSIGNMENTS, {})
    return path


def test_sheet_asks_for_every_answer_that_has_words(sheet):
    assert table(sheet) == [
        list(COLUMNS),
        ["Ash", "a1", "first-chapter", "open", "Open", fingerprint("because"), "4", "", "", ""],
        ["Ash", "a2", "first-chapter", "open", "Open", fingerprint("since"), "4", "", "", ""],
        ["'=1+1", "c", "first-chapter", "open", "Open", fingerprint("x"), "4", "", "", ""],
    ]


@pytest.mark.parametrize(
    "mark", [ManualMark(0), ManualMark(2.5, "=SUM(1) says who?"), ManualMark(None, 'see, "me"\nsoon')]
)
def test_what_is_filled_in_is_kept(sheet, mark):
    write_sheet(sheet, ROWS, ASSIGNMENTS, {("a2", "open"): mark})
    assert read_sheet(sheet)["a2", "open"] == mark._replace(answer=fingerprint("since"))
    assert read_sheet(sheet)["a1", "open"] == ManualMark(None, answer=fingerprint("because"))


def test_mark_of_a_submission_that_is_gone_stands_at_the_end(sheet):
    marks = {("gone", "open"): ManualMark(3, "well"), ("empty", "open"): ManualMark(None)}
    write_sheet(sheet, ROWS, ASSIGNMENTS, marks)
    assert table(sheet)[-1] == ["(no longer there)", "gone", "", "open", "", "", "4", "", "3", "well"]
    assert len(table(sheet)) == 5
    assert read_sheet(sheet)["gone", "open"] == ManualMark(3, "well")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(("bom", "end"), [("", "\n"), ("\ufeff", "\r\n")])
def test_sheet_is_read_as_spreadsheets_save_it(sheet, delimiter, bom, end):
    points = "2,5" if delimiter != "," else "2.5"
    lines = [COLUMNS, ("Ash", "a1", "first-chapter", "open", "Open", "", "4", "", points, "gut")]
    sheet.write_text(bom + "".join(delimiter.join(line) + end for line in lines), encoding="utf-8", newline="")
    assert read_sheet(sheet) == {("a1", "open"): ManualMark(2.5, "gut")}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Ash,a1,c,open,Open,,4,,5,", "line 2: points must be from 0 to 4, got '5'"),
        ("Ash,a1,c,open,Open,,4,,-1,", "line 2: points must be from 0 to 4, got '-1'"),
        ("Ash,a1,c,open,Open,,4,,good,", "line 2: points must be a number, got 'good'"),
        ("Ash,a1,c,open,Open,,4,,nan,", "line 2: points must be from 0 to 4, got 'nan'"),
        ("Ash,a1,c,open,Open,,,1,", "line 2: maximum must be a number, got ''"),
        ("Ash,a1,c", "line 2: maximum must be a number, got ''"),
        ("Ash,a1,c,open,Open,,4,,1,\nAsh,a1,c,open,Open,,4,,2,", "line 3: a second line for open of a1"),
    ],
)
def test_errors_name_the_line_and_what_is_wrong(sheet, line, said):
    sheet.write_text(",".join(COLUMNS) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_sheet(sheet)


@pytest.mark.parametrize("content", [b"", b"student,points\n", b"\xff\xfe\x00x"])
def test_other_files_are_no_sheets(sheet, content):
    sheet.write_bytes(content)
    with pytest.raises(ValueError, match=r"the columns must be|saved as CSV in UTF-8"):
        read_sheet(sheet)
