"""The two pages for the instructor: the class at a glance, and the answers that a person marks."""

import collections
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from stablenets.grading.records import Outcome
from stablenets.grading.report.gradebook import Total, maximum, totals
from stablenets.grading.report.manual import ManualMark, Marks, answered
from stablenets.grading.report.pages import write_page
from stablenets.masters.assignment import Assignment, Question

MOST_MISTAKES, MOST_SLOW = 12, 5


def write(folder: Path, outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks) -> None:
    """Write ``overview.html`` and ``manual.html``."""
    of_students = totals(outcomes, assignments, marks).values()
    by_chapter = {
        name: [chapters[name] for chapters in of_students if name in chapters] for name in assignments
    }  # a student counts once in a chapter
    chapters = [_chapter(assignments[name], counted, marks) for name, counted in by_chapter.items() if counted]
    graded = [outcome for outcome in outcomes if not outcome.problem]
    times = [outcome.seconds for outcome in graded]
    questions = _questions(outcomes, assignments, marks)
    write_page(
        folder / "overview.html",
        "overview.html",
        outcomes=outcomes,
        failed=[outcome for outcome in outcomes if outcome.problem],
        chapters=chapters,
        pending=sum(answer["mark"].points is None for question in questions for answer in question["answers"]),
        several=_several(graded),
        noted=[outcome for outcome in outcomes if outcome.notes],
        slowest=sorted(graded, key=lambda outcome: -outcome.seconds)[:MOST_SLOW],
        seconds=sum(times),
        median_seconds=statistics.median(times) if times else 0.0,
    )
    write_page(folder / "manual.html", "manual.html", questions=questions)


def _chapter(assignment: Assignment, counted: Sequence[Total], marks: Marks) -> dict[str, object]:
    most, points = maximum(assignment), [total.points for total in counted]
    histogram = [0] * (most + 1)
    for value in points:
        histogram[int(value)] += 1
    return {
        "name": assignment.chapter,
        "maximum": most,
        "totals": counted,
        "histogram": histogram,
        "quartiles": statistics.quantiles(points, n=4, method="inclusive") if len(points) > 1 else points * 3,
        "exercises": [
            *(_exercise(question, counted) for question in assignment.questions if question.function),
            *(_open(question, counted, marks) for question in assignment.questions if question.manual_points),
        ],
        "mistakes": _mistakes(counted),
    }


def _exercise(question: Question, counted: Sequence[Total]) -> dict[str, object]:
    parts = [[part for part in total.outcome.parts if part.exercise == question.exercise] for total in counted]
    points = [sum(part.points for part in own) for own in parts]
    blank = sum(all(part.blank for part in own) for own in parts)
    return _row(question.title, question.points, points, blank)


def _open(question: Question, counted: Sequence[Total], marks: Marks) -> dict[str, object]:
    """As far as it is marked: an answer that waits for its mark does not count, no words have 0 points."""
    words = [dict(total.outcome.texts).get(question.exercise) for total in counted]
    given = [marks.get((total.outcome.key, question.exercise), ManualMark(None)).points for total in counted]
    points = [mark if text else 0 for text, mark in zip(words, given) if not text or mark is not None]
    waiting = f", {len(points)} of {len(counted)} marked" if len(points) < len(counted) else ""
    title = f"{question.title} (by a person{waiting})"
    return _row(title, question.manual_points, points, sum(not text for text in words))


def _row(title: str, maximum: int, points: Sequence[float], blank: int) -> dict[str, object]:
    whole = [int(value) for value in points]
    return {
        "title": title,
        "maximum": maximum,
        "share": statistics.mean(points) / maximum if points else None,
        "counts": [whole.count(value) for value in range(maximum + 1)],
        "all": sum(value == maximum for value in points),
        "none": sum(value == 0 for value in points),
        "blank": blank,
    }


def _mistakes(counted: Sequence[Total]) -> list[dict[str, object]]:
    """Messages that more than one student got, the commonest first."""
    counts, examples = collections.Counter(), {}
    for total in counted:
        for part in total.outcome.parts:
            if part.message and not part.blank:
                kind = part.exercise, part.part, re.sub(r"-?\d[\d.,e+-]*", "…", part.message)
                counts[kind] += 1
                examples.setdefault(kind, part.message)
    return [
        {"count": count, "exercise": kind[0], "part": kind[1], "example": examples[kind]}
        for kind, count in counts.most_common(MOST_MISTAKES)
        if count > 1
    ]


def _several(graded: Sequence[Outcome]) -> list[tuple[str, str, list[str]]]:
    keys = collections.defaultdict(list)
    for outcome in graded:
        keys[outcome.student, outcome.identifier, outcome.chapter].append(outcome.key)
    return [(student, chapter, several) for (student, _, chapter), several in keys.items() if len(several) > 1]


def _questions(
    outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks
) -> list[dict[str, object]]:
    """The open questions that somebody answered, with all answers."""
    questions = {}
    for outcome in outcomes:
        for question, text in answered(outcome, assignments.get(outcome.chapter)):
            asked = {**question._asdict(), "chapter": outcome.chapter, "answers": []}
            mark = marks.get((outcome.key, question.exercise), ManualMark(None))
            questions.setdefault(question.exercise, asked)["answers"].append(
                {"key": outcome.key, "text": text, "mark": mark}
            )
    return list(questions.values())
