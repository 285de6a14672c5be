"""Assignments are read from the masters, and rows that other exercises gave are told apart."""

from stablenets.grading.records import Outcome, PartMark
from stablenets.grading.task import outdated
from stablenets.masters.assignment import Assignment, Question

QUESTIONS = (Question("coded", "Compute", "function", 3, 0, ""), Question("open", "Why?", "", 0, 2, ""))
PARTS = (PartMark("coded", "first", 1, 1, ""), PartMark("coded", "second", 0, 2, "no"))
ROW = Outcome("a", "Ash", "", "d", "chapter", parts=PARTS)


def old(row, questions=QUESTIONS):
    return outdated([row], {"chapter": Assignment("chapter", questions)})


def test_row_of_the_same_exercises_and_points_is_up_to_date():
    assert old(ROW) == []
    assert old(Outcome("b", "Birch", "", "d", problem="the file is empty")) == []


def test_row_of_other_exercises_or_points_is_not():
    assert old(ROW._replace(parts=PARTS[:1])) == ["a"]
    assert old(ROW._replace(parts=(*PARTS, PartMark("dropped", "first", 1, 1, "")))) == ["a"]
    assert old(ROW._replace(chapter="another")) == ["a"]
    assert old(ROW, (*QUESTIONS, Question("new", "Compute more", "function", 1, 0, ""))) == ["a"]


def test_open_questions_alone_make_no_row_old():
    assert old(ROW, (*QUESTIONS, Question("more", "Why not?", "", 0, 2, ""))) == []
