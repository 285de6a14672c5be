"""What an instructor fills in is read as spreadsheets save it, kept, and never taken for something else."""

import csv
import os

import pytest

from stablenets.grading.records import Outcome
from stablenets.grading.report.manual import (
    COLUMNS,
    ManualMark,
    answered,
    current,
    fingerprint,
    read_sheet,
    write_sheet,
)
from stablenets.masters.assignment import Assignment, Question

OPEN = Question("open", "Why?", "", 0, 4, "- one point")
BOTH = Question("both", "Compute and say", "function", 2, 1, "")
CODED = Question("coded", "Compute", "function", 3, 0, "")
ASSIGNMENTS = {"chapter": Assignment("chapter", (CODED, OPEN, BOTH))}
ROWS = [
    Outcome("ash/x.ipynb", "Ash", "", "d", "chapter", texts=(("both", "so"), ("open", "because"), ("coded", "?"))),
    Outcome("birch.ipynb", "Birch", "", "d", "chapter", texts=(("open", ""),)),
    Outcome("yew.ipynb", "Yew", "", "d", problem="the file is empty"),
]
HEAD = ",".join(COLUMNS)


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "manual.csv"
    write_sheet(path, ROWS, ASSIGNMENTS, {})
    return path


def lines(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_answers_are_those_with_words_to_questions_with_manual_points():
    found = [(question.exercise, text) for question, text in answered(ROWS[0], ASSIGNMENTS["chapter"])]
    assert found == [("open", "because"), ("both", "so")]
    assert answered(ROWS[1], ASSIGNMENTS["chapter"]) == []


def test_sheet_filled_in_and_written_again_changes_nothing(sheet):
    filled = [[*line[:8], "1", 'yes; no, "perhaps"\nlater'] if line[3] == "both" else line for line in lines(sheet)]
    with open(sheet, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerows(filled)
    for _ in range(2):
        write_sheet(sheet, ROWS, ASSIGNMENTS, read_sheet(sheet))
        assert lines(sheet) == filled


@pytest.mark.parametrize("points", [0.1 + 0.2, 10 / 3, 3.14159265])
def test_points_are_kept_to_more_digits_than_anybody_gives(sheet, points):
    for _ in range(3):
        write_sheet(sheet, ROWS, ASSIGNMENTS, {("ash/x.ipynb", "open"): ManualMark(points)})
        points = pytest.approx(points, rel=1e-11) if isinstance(points, float) else points
        assert read_sheet(sheet)["ash/x.ipynb", "open"].points == points
        points = read_sheet(sheet)["ash/x.ipynb", "open"].points


def test_empty_cells_that_excel_leaves_out_are_empty(sheet):
    sheet.write_text(
        f"{HEAD}\r\nAsh,a,chapter,open,Why?,,4\r\nAsh,b,chapter,open,Why?,,4,,3\r\n", newline="", encoding="utf-8"
    )
    assert read_sheet(sheet) == {("a", "open"): ManualMark(None), ("b", "open"): ManualMark(3)}


def test_lines_of_nothing_but_separators_are_passed_over(sheet):
    sheet.write_text(f"{HEAD},,\nAsh,a,chapter,open,Why?,,4,,3,,,\n,,,,,,,,,,,,\n\n , ,,,,,,,,\n", encoding="utf-8")
    assert read_sheet(sheet) == {("a", "open"): ManualMark(3)}


@pytest.mark.parametrize("line", ["Ash,a,chapter,open,Why?,,4,,2,5,", "Ash,a,chapter,open,Why?,,4,,2,well, but late"])
def test_comma_without_quotes_is_no_separator_in_silence(sheet, line):
    sheet.write_text(f"{HEAD}\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: more cells than the first line names"):
        read_sheet(sheet)


def test_cell_below_no_heading_is_told(sheet):
    sheet.write_text(f"{HEAD},\nAsh,a,chapter,open,Why?,,4,,2,,late\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: more cells than the first line names"):
        read_sheet(sheet)


def test_column_that_would_be_lost_is_refused(sheet):
    sheet.write_text(f"{HEAD},marked by\nAsh,a,chapter,open,Why?,,4,,2,,me\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"only points and comment are kept.*marked by"):
        read_sheet(sheet)


def test_cell_too_long_for_a_table_is_told_with_its_line(sheet):
    sheet.write_text(f"{HEAD}\nAsh,a,chapter,open,Why?,,4,,2,{'x' * 200_000}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: field larger than field limit"):
        read_sheet(sheet)


def test_columns_may_stand_in_another_order(sheet):
    sheet.write_text(
        "comment,points,maximum,title,exercise,chapter,submission,student\nfine,3,4,Why?,open,c,a,Ash\n",
        encoding="utf-8",
    )
    assert read_sheet(sheet) == {("a", "open"): ManualMark(3, "fine")}


@pytest.mark.parametrize("written", ["2,5", "2.5", " 2.50 ", "02.5", "2.5e0"])
def test_points_are_read_with_point_or_comma(sheet, written):
    sheet.write_text(f"{HEAD.replace(',', ';')}\nAsh;a;chapter;open;Why?;;4;;{written};\n", encoding="utf-8")
    assert read_sheet(sheet)["a", "open"].points == 2.5


def test_old_mac_line_ends_are_read(sheet):
    sheet.write_bytes(f"{HEAD}\rAsh,a,chapter,open,Why?,,4,,3,\rAsh,b,chapter,open,Why?,,4,,,\r".encode())
    assert read_sheet(sheet) == {("a", "open"): ManualMark(3), ("b", "open"): ManualMark(None)}


def test_sheet_saved_in_another_encoding_is_refused(sheet):
    sheet.write_bytes(f"{HEAD}\nAsh,a,chapter,open,Why?,,4,,3,schön\n".encode("cp1252"))
    with pytest.raises(ValueError, match="must be saved as CSV in UTF-8"):
        read_sheet(sheet)


def test_mark_above_what_the_question_gives_is_refused_though_the_sheet_allows_it(sheet):
    before = sheet.read_bytes()
    sheet.with_name("other.csv").write_text(f"{HEAD}\nAsh,ash/x.ipynb,chapter,open,Why?,,40,,30,\n", encoding="utf-8")
    marks = read_sheet(sheet.with_name("other.csv"))
    with pytest.raises(ValueError, match=r"open of ash/x\.ipynb gives at most 4 points, got 30"):
        write_sheet(sheet, ROWS, ASSIGNMENTS, marks)
    assert sheet.read_bytes() == before


def test_mark_whose_answer_or_question_is_gone_survives_any_number_of_writings(sheet):
    gone = {("birch.ipynb", "open"): ManualMark(4, "good"), ("ash/x.ipynb", "dropped"): ManualMark(7)}
    marks = gone
    for _ in range(3):
        write_sheet(sheet, ROWS, ASSIGNMENTS, marks)
        marks = read_sheet(sheet)
        assert gone.items() <= marks.items()
    back = [ROWS[1]._replace(texts=(("open", "back again"),))]
    write_sheet(sheet, back, ASSIGNMENTS, marks)
    again = fingerprint("back again")
    assert lines(sheet)[1] == ["Birch", "birch.ipynb", "chapter", "open", "Why?", again, "4", "", "4", "good"]


@pytest.mark.parametrize("key", ["=1+1.ipynb", "-x/y.ipynb", "@a", "'=b", 'a"b,c;d', "ünï😀", "'"])
def test_hostile_keys_are_found_again(sheet, key):
    outcome = ROWS[0]._replace(key=key, student=key)
    write_sheet(sheet, [outcome], ASSIGNMENTS, {(key, "open"): ManualMark(1, key)})
    assert read_sheet(sheet)[key, "open"] == ManualMark(1, key, fingerprint("because"))
    assert not any(cell.startswith(("=", "+", "@")) for line in lines(sheet) for cell in line)


def test_mark_is_open_again_when_the_words_have_changed_and_only_then(sheet):
    write_sheet(sheet, ROWS, ASSIGNMENTS, {(ROWS[0].key, name): ManualMark(1, "fine") for name in ("open", "both")})
    changed = [ROWS[0]._replace(texts=(("both", "so"), ("open", "because of that")))]
    marks = current(read_sheet(sheet), changed, ASSIGNMENTS)
    assert marks[ROWS[0].key, "both"].points == 1
    assert marks[ROWS[0].key, "open"] == ManualMark(None, earlier="1 of 4: fine")
    write_sheet(sheet, changed, ASSIGNMENTS, marks)
    assert current(read_sheet(sheet), changed, ASSIGNMENTS) == read_sheet(sheet)


def test_what_an_earlier_answer_had_stays_beside_the_new_mark(sheet):
    kept = ManualMark(2, "better", fingerprint("because"), "1 of 4: fine")
    write_sheet(sheet, ROWS, ASSIGNMENTS, {(ROWS[0].key, "open"): kept})
    assert read_sheet(sheet)[ROWS[0].key, "open"] == kept


def test_sheet_of_ones_own_need_not_tell_which_words_it_marks(sheet):
    sheet.write_text(
        "student,submission,chapter,exercise,title,maximum,points,comment\nAsh,ash/x.ipynb,c,open,Why?,4,3,\n",
        encoding="utf-8",
    )
    marks = read_sheet(sheet)
    assert current(marks, ROWS, ASSIGNMENTS) == marks == {("ash/x.ipynb", "open"): ManualMark(3)}


def test_one_file_is_left(sheet):
    write_sheet(sheet, ROWS, ASSIGNMENTS, read_sheet(sheet))
    assert os.listdir(sheet.parent) == ["manual.csv"]
