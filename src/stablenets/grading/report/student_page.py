"""One page for each submission, to be given to its student: the marks, and what to mend."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from stablenets.grading.records import Outcome
from stablenets.grading.report.gradebook import maximum, total
from stablenets.grading.report.manual import ManualMark, Marks
from stablenets.grading.report.pages import write_page
from stablenets.masters.assignment import Assignment


def write(
    folder: Path, outcomes: Sequence[Outcome], assignments: Mapping[str, Assignment], marks: Marks
) -> dict[str, Path]:
    """Write the pages and return their paths by submission.

    A page holds nothing of other students, no seed, no rubric and no reference; it has no script and loads nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {outcome.key: folder / file_name(outcome) for outcome in outcomes}
    for outcome in outcomes:
        write_page(paths[outcome.key], "student_page.html", outcome=outcome, **_values(outcome, assignments, marks))
    return paths


def _values(outcome: Outcome, assignments: Mapping[str, Assignment], marks: Marks) -> dict[str, object]:
    if outcome.problem:
        return {}
    assignment, texts = assignments[outcome.chapter], dict(outcome.texts)
    questions = [
        {
            **question._asdict(),
            "parts": [part for part in outcome.parts if part.exercise == question.exercise],
            "mark": marks.get((outcome.key, question.exercise), ManualMark(None)),
            "text": texts.get(question.exercise, ""),
        }
        for question in assignment.questions
    ]
    return {
        "total": total(outcome, assignment, marks),
        "maximum": maximum(assignment),
        "questions": questions,
    }


def file_name(outcome: Outcome) -> str:
    """Return a name that is the same in every run, differs for every submission, and is safe on every system."""
    letters = unicodedata.normalize("NFKD", outcome.student).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", letters).strip("-")[:40] or "student"
    return f"{slug}-{hashlib.sha256(outcome.key.encode('utf-8', 'replace')).hexdigest()[:10]}.html"
