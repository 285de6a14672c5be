"""A course for nbgrader: the students' notebooks with nbgrader's marks in the cells, and the settings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from stablenets.masters import files
from stablenets.masters.assignment import Assignment, read
from stablenets.masters.cells import exercise_id, role
from stablenets.masters.student_notebook import derive

SETTINGS = '''"""Settings of nbgrader for this course: submissions run in a sandbox, and trusted checks mark them."""

from stablenets.grading.nbgrader_plugin import configure

configure(get_config(), {arguments})
'''


def marked(student: NotebookNode, assignment: Assignment) -> NotebookNode:
    """Return a student's notebook in which nbgrader finds what to lock, to mark and to leave to a person.

    Args:
        student: as :func:`~stablenets.grading.student.derive` gives it.
        assignment: of the same master.
    """
    made = nbformat.from_dict(student)
    questions = {question.exercise: question for question in assignment.questions}
    for cell in made.cells:
        if role(cell) is None:
            continue
        question, kind = questions[exercise_id(cell)], role(cell)
        answer = kind == "answer"
        points = question.points if kind == "check" else question.manual_points if answer else 0
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": f"{question.exercise}-{kind}",
            "grade": points > 0,
            "solution": answer,
            "locked": not answer,
            "task": False,
            "cell_type": cell.cell_type,
            **({"points": points} if points else {}),
        }
    return made


def write_all(
    solutions: Path, out: Path, chapters: Sequence[str] = (), exercises: Path | None = None
) -> Iterator[Path]:
    """Write ``source/CHAPTER/CHAPTER.ipynb`` and ``nbgrader_config.py``, and yield their paths.

    Settings that are there already are left as they are.

    Args:
        solutions: folder of the master notebooks.
        out: folder of the course.
        chapters: those to write; all if there are none.
        exercises: a Python file of exercises of one's own, which is registered already; the settings name it.
    """
    for path in files.masters(solutions, chapters):
        master = files.read(path)
        assignment = read(master, path.stem)
        to = out / "source" / path.stem / path.name
        to.parent.mkdir(parents=True, exist_ok=True)
        files.write(marked(derive(master), assignment), to)
        yield to
    settings = out / "nbgrader_config.py"
    if not settings.exists():
        places = {"solutions": solutions, **({"exercises": exercises} if exercises else {})}
        arguments = ", ".join(f"{name}={str(path.resolve())!r}" for name, path in places.items())
        files.write_text(settings, SETTINGS.format(arguments=arguments))
        yield settings
