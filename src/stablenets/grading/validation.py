"""What a student can ask before handing in: does my notebook run from top to bottom, and what do the checks say?

It runs on the student's own machine with the student's own rights, and knows no more than the student: the installed
checks with their public seed, and what the notebook's metadata tell.
"""

import pkgutil
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import stablenets
from stablenets.checks.exercise import EXERCISES, PartResult, Result
from stablenets.checks.run import exercise
from stablenets.grading.intake.collect import LARGEST
from stablenets.grading.sandbox.file_system import AVAILABLE
from stablenets.grading.text import plain
from stablenets.masters.assignment import Assignment, Question
from stablenets.masters.cells import CHECK, stated
from stablenets.masters.files import KERNEL_ARGUMENTS

PUBLISHED = "application/vnd.stablenets.answer+json"
IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+stablenets(?:\.(\w+)|[ \t]+import[ \t]+(.+))", re.MULTILINE)
CODE = re.compile(r"^```\n.*?^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Answered:
    """What there is of one exercise.

    Attributes:
        exercise: its id.
        missing: what is not there, in a sentence; empty if it is answered.
        parts: of the check with the public seed; none if there is nothing to check.
        known: False for an exercise of an instructor's own, whose check is not installed here.
    """

    exercise: str
    missing: str = ""
    parts: tuple[PartResult, ...] = ()
    known: bool = True

    def __str__(self) -> str:
        if self.missing:
            return f"– {self.exercise}: {self.missing}"
        if not self.known:
            return f"– {self.exercise}: this exercise is not known here; it is checked when the notebook is graded"
        if self.parts:
            return repr(Result(self.exercise, self.parts))
        return f"✓ {self.exercise}: answered; a person will mark it"


@dataclass(frozen=True)
class Validation:
    """What a grader would meet in a notebook; shown as text, it tells the student.

    Attributes:
        problem: why it could not be graded; empty if it could.
        chapter: slug of the chapter that it answers.
        errors: cells that raised, took too long or cannot work when graded.
        answers: one for each exercise of the chapter.
        notes: what a grader would tell the instructor.
    """

    problem: str = ""
    chapter: str = ""
    errors: tuple[str, ...] = ()
    answers: tuple[Answered, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether everything is answered and every cell runs; the answers may be wrong."""
        return not self.problem and not self.errors and not any(answer.missing for answer in self.answers)

    def __str__(self) -> str:
        if self.problem:
            return f"This notebook cannot be graded: {self.problem}."
        lines = [*self.answers, *(f"✗ {error}" for error in self.errors), *(f"– {note}" for note in self.notes)]
        end = "Ready to hand in" if self.ready else "Not ready to hand in"
        return "\n".join([*map(str, lines), f"{end}. A grader runs the same checks, with other inputs."])

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        answers = [{**vars(answer), "parts": [part._asdict() for part in answer.parts]} for answer in self.answers]
        return {**vars(self), "answers": answers, "ready": self.ready}


def validate(path: Path, *, cell_seconds: float = 120) -> Validation:
    """Run a notebook in a fresh kernel, in its own folder, and check every answer with the public seed.

    Args:
        path: of the notebook.
        cell_seconds: wall time of one cell, and of one check.

    Raises:
        ImportError: what runs notebooks is not installed.
        OSError: ``path`` cannot be read.
    """
    try:
        import ipykernel  # noqa: F401  (the kernel is started by its name)
        import nbclient  # noqa: F401

        from stablenets.grading.intake.parse import Unreadable, cells_of, loaded, parse
    except ImportError as error:
        raise ImportError(f"running a notebook needs {error.name}: pip install 'stablenets[grade]'") from error
    if path.stat().st_size > LARGEST:
        return Validation(f"it is larger than {LARGEST / 2**20:g} MiB; clear its outputs")
    content = path.read_bytes()
    try:
        data = loaded(content)[0]
        functions = _functions(data)
        cells = cells_of(data)
        assignments = _asked(functions, cells) | _own(data, cells, functions)
        notebook = parse(content, assignments)
    except Unreadable as error:
        return Validation(str(error))
    called = {id: name for id, name in CHECK.findall("\n".join(notebook.code)) if name}
    functions = called | functions
    asked = assignments[notebook.chapter].questions
    to_check = {q.exercise: functions[q.exercise] for q in asked if q.function and q.exercise in functions}
    errors, checked = _run(notebook.code, to_check, path.parent, cell_seconds)
    texts = dict(notebook.texts)
    answers = (checked.get(q.exercise) or _unchecked(q.exercise, texts.get(q.exercise)) for q in asked)
    return Validation("", notebook.chapter, (*_withheld(notebook.code), *errors), tuple(answers), notebook.notes)


def _functions(data: Any) -> dict[str, str]:
    """Return the function that each exercise asks for, as the metadata tell."""
    functions = _of_notebook(data, "functions")
    pairs = functions.items() if isinstance(functions, dict) else ()
    return {id: name for id, name in pairs if isinstance(name, str) and name.isidentifier()}


def _of_notebook(data: Any, name: str) -> Any:
    return stated(data.get("metadata"), name) if isinstance(data, dict) else None


def _asked(functions: dict[str, str], cells: list) -> dict[str, Assignment]:
    """Return the assignments, as far as one knows them without the masters, in the order of the notebook."""
    chapters: dict[str, list[Question]] = {}
    place = {id: i for i, id in enumerate(dict.fromkeys([*(cell.exercise for cell in cells), *functions]))}
    for known in sorted(EXERCISES.values(), key=lambda exercise: place.get(exercise.id, len(place))):
        name = functions.get(known.id, known.id) if known.parts else ""
        question = Question(known.id, known.id, name, known.points - known.manual_points, known.manual_points, "")
        chapters.setdefault(known.chapter, []).append(question)
    return {chapter: Assignment(chapter, tuple(questions)) for chapter, questions in chapters.items()}


def _own(data: Any, cells: list, functions: dict[str, str]) -> dict[str, Assignment]:
    """Return the assignment of an instructor's own exercises, as far as the notebook tells: by no check known here."""
    own = dict.fromkeys(cell.exercise for cell in cells if cell.exercise and cell.exercise not in EXERCISES)
    chapter = _of_notebook(data, "chapter")
    if not own or not isinstance(chapter, str) or chapter in {known.chapter for known in EXERCISES.values()}:
        return {}
    questions = tuple(Question(id, id, functions.get(id, ""), 0, 0, "") for id in own)
    return {chapter: Assignment(chapter, questions)}


def _unchecked(id: str, text: str | None) -> Answered:
    if text is None:
        return Answered(id, f'the notebook does not tell its function: the cell check("{id}", …) is missing')
    # Code that tries something out may stand below the last question.
    words = CODE.sub("", text).strip()
    return Answered(id, "" if words else "the open question has no answer in words yet")


def _withheld(code: tuple[str, ...]) -> list[str]:
    """Tell imports of modules that a submission does not find."""
    there = {name.split("/")[0].removesuffix(".py") for name in AVAILABLE} | {"checks"}
    modules = {module.name for module in pkgutil.iter_modules(stablenets.__path__)} - there
    names = {name for source in code for pair in IMPORT.findall(source) for name in re.findall(r"\w+", " ".join(pair))}
    return [f"stablenets.{name} is imported, but is not there when graded" for name in sorted(names & modules)]


def _run(code: tuple[str, ...], functions: dict[str, str], folder: Path, seconds: float) -> tuple[list[str], dict]:
    """Run the cells and then the checks; return the errors of cells, and what was found by exercise."""
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError
    from nbformat.v4 import new_code_cell, new_notebook

    probe = "__import__('stablenets.grading.validation', fromlist=['publish']).publish({!r}, {!r})"
    probes = [probe.format(id, name) for id, name in functions.items()]
    cells = [new_code_cell(source) for source in (*code, *probes)]
    client = NotebookClient(
        new_notebook(cells=cells),
        timeout=seconds,
        interrupt_on_timeout=True,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=KERNEL_ARGUMENTS,
    )
    end = []
    try:
        client.execute()
    except DeadKernelError:
        end = [f"the kernel ended at code cell {client.code_cells_executed} or just before; the rest was not run"]
    failures = [_failure(cell, seconds) for cell in cells]
    errors = [
        f"code cell {number} ({plain(source.strip().splitlines()[0], 40)}) {failure}"
        for number, (source, failure) in enumerate(zip(code, failures), 1)
        if failure
    ]
    checked = {}
    for id, cell, failure in zip(functions, cells[len(code) :], failures[len(code) :]):
        data = [output.data[PUBLISHED] for output in cell.outputs if PUBLISHED in output.get("data", {})]
        missing, parts, known = data[-1] if data else (f"its check {failure or 'was not run'}", [], True)
        checked[id] = Answered(id, missing, tuple(PartResult(*part) for part in parts), known)
    return errors + end, checked


def _failure(cell: Any, seconds: float) -> str:
    """Say what a cell raised, or nothing."""
    for output in cell.outputs:
        if output.output_type == "error":
            if output.ename == "KeyboardInterrupt":
                return f"took longer than {seconds:g} seconds"
            return f"raised {plain(f'{output.ename}: {output.evalue}')}"
    return ""


def publish(id: str, name: str) -> None:
    """Check an answer in the kernel that ran the notebook, and tell what was found to who started the kernel."""
    from IPython import get_ipython
    from IPython.display import publish_display_data

    namespace = get_ipython().user_ns
    missing, parts, known = "", (), id in EXERCISES
    if name not in namespace:
        missing = f"the notebook defines no function {name}"
    elif not callable(namespace[name]):
        missing = f"{name} must be a function, got {type(namespace[name]).__name__}"
    elif known:
        parts = exercise(id).run(namespace[name], 0).parts
        if all(part.blank for part in parts):
            missing, parts = f"the function {name} returns nothing: it is still to be written", ()
    publish_display_data({PUBLISHED: [missing, parts, known]})
