"""What a student can ask before handing in: does my notebook run from top to bottom, and what do the checks say?

It runs on the student's own machine with the student's own rights, and knows no more than the student: the installed
checks with their public seed, and what the notebook's metadata tell.
"""

import pkgutil
import re
from pathlib import Path
from typing import Any

import stablenets
from stablenets.checks.exercise import EXERCISES, PartResult
from stablenets.checks.run import exercise
from stablenets.grading.intake import LARGEST
from stablenets.grading.plain import plain
from stablenets.grading.records import Assignment, Question
from stablenets.grading.validation import Answered, Validation
from stablenets.grading.view import AVAILABLE

PUBLISHED = "application/vnd.stablenets.answer+json"
HANDED_IN = re.compile(r"""\bcheck\(\s*["']([\w-]+)["']\s*,\s*(\w+)""")
IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+stablenets(?:\.(\w+)|[ \t]+import[ \t]+(.+))", re.MULTILINE)
CODE = re.compile(r"^```\n.*?^```$", re.DOTALL | re.MULTILINE)
NO_ANSWER = "not answered yet?"


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

        from stablenets.grading.notebook import Unreadable, cells_of, parsed, read
    except ImportError as error:
        raise ImportError(f"running a notebook needs {error.name}: pip install 'stablenets[grade]'") from error
    if path.stat().st_size > LARGEST:
        return Validation(f"it is larger than {LARGEST / 2**20:g} MiB; clear its outputs")
    content = path.read_bytes()
    try:
        data = parsed(content)[0]
        functions = _functions(data)
        assignments = _asked(functions) | _own(data, cells_of(data), functions)
        notebook = read(content, assignments)
    except Unreadable as error:
        return Validation(str(error))
    functions = dict(HANDED_IN.findall("\n".join(notebook.code))) | functions
    asked = assignments[notebook.chapter].questions
    to_check = {one.exercise: functions[one.exercise] for one in asked if one.function and one.exercise in functions}
    errors, checked = _run(notebook.code, to_check, path.parent, cell_seconds)
    texts = dict(notebook.texts)
    answers = (checked.get(one.exercise) or _unchecked(one.exercise, texts.get(one.exercise)) for one in asked)
    return Validation("", notebook.chapter, (*_withheld(notebook.code), *errors), tuple(answers), notebook.notes)


def _functions(data: Any) -> dict[str, str]:
    """Return the function that each exercise asks for, as the metadata tell."""
    stated = _stated(data, "functions")
    functions = stated.items() if isinstance(stated, dict) else ()
    return {id: name for id, name in functions if isinstance(name, str) and name.isidentifier()}


def _stated(data: Any, what: str) -> Any:
    for name in ("metadata", "stablenets", what):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _asked(functions: dict[str, str]) -> dict[str, Assignment]:
    """Return the assignments, as far as one knows them without the masters."""
    chapters: dict[str, list[Question]] = {}
    for one in EXERCISES.values():
        name = functions.get(one.id, one.id) if one.parts else ""
        question = Question(one.id, one.id, name, one.points - one.manual_points, one.manual_points, "")
        chapters.setdefault(one.chapter, []).append(question)
    return {chapter: Assignment(chapter, tuple(questions)) for chapter, questions in chapters.items()}


def _own(data: Any, cells: list, functions: dict[str, str]) -> dict[str, Assignment]:
    """Return the assignment of an instructor's own exercises, as far as the notebook tells: by no check known here."""
    own = dict.fromkeys(cell.exercise for cell in cells if cell.exercise and cell.exercise not in EXERCISES)
    chapter = _stated(data, "chapter")
    if not own or not isinstance(chapter, str) or chapter in {one.chapter for one in EXERCISES.values()}:
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
    found = {name for source in code for pair in IMPORT.findall(source) for name in re.findall(r"\w+", " ".join(pair))}
    return [f"stablenets.{name} is imported, but is not there when graded" for name in sorted(found & modules)]


def _run(code: tuple[str, ...], functions: dict[str, str], folder: Path, seconds: float) -> tuple[list[str], dict]:
    """Run the cells and then the checks; return the errors of cells, and what was found by exercise."""
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError
    from nbformat.v4 import new_code_cell, new_notebook

    from stablenets.book.notebooks import KERNEL_ARGUMENTS

    probe = "__import__('stablenets.grading.validate', fromlist=['publish']).publish({!r}, {!r})"
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
    failed = [_error(cell, seconds) for cell in cells]
    errors = [
        f"code cell {number} ({plain(source.strip().splitlines()[0], 40)}) {said}"
        for number, (source, said) in enumerate(zip(code, failed), 1)
        if said
    ]
    checked = {}
    for id, cell, said in zip(functions, cells[len(code) :], failed[len(code) :]):
        data = [output.data[PUBLISHED] for output in cell.outputs if PUBLISHED in output.get("data", {})]
        missing, parts, known = data[-1] if data else (f"its check {said or 'was not run'}", [], True)
        checked[id] = Answered(id, missing, tuple(PartResult(*part) for part in parts), known)
    return errors + end, checked


def _error(cell: Any, seconds: float) -> str:
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
        if all(part.message.endswith(NO_ANSWER) for part in parts):
            missing, parts = f"the function {name} returns nothing: it is still to be written", ()
    publish_display_data({PUBLISHED: [missing, parts, known]})
