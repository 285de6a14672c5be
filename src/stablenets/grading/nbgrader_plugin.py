"""nbgrader with our execution: the sandbox and the trusted checks in place of a kernel with the instructor's rights.

Two lines in ``nbgrader_config.py`` are enough::

    from stablenets.grading.nbgrader_plugin import configure
    configure(get_config(), solutions="solutions")

nbgrader's database, formgrader, manual marks and feedback go on working. Two preprocessors do it:
:class:`RestoreCells`, before any other, makes of whatever was handed in a notebook with the cells that were handed out,
each once; and :class:`SandboxedGrade`, in place of nbgrader's ``Execute``, writes into each check cell the points from
which nbgrader marks.
"""

import functools
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from stablenets.checks.exercise import EXERCISES
from stablenets.grading import secret
from stablenets.grading.intake.parse import MOST_CELLS
from stablenets.grading.nbgrader_course import marked
from stablenets.grading.private import register
from stablenets.grading.records import PartMark, Submission
from stablenets.grading.run import grade_one
from stablenets.grading.task import Task
from stablenets.masters import files
from stablenets.masters.assignment import load, modules, read
from stablenets.masters.student_notebook import derive

SECRET = "stablenets-secret"


def configure(config: object, solutions: str = "solutions", exercises: str = "") -> None:
    """Let nbgrader run submissions in the sandbox.

    Args:
        config: of nbgrader, as ``get_config()`` gives it in ``nbgrader_config.py``.
        solutions: folder of the master notebooks.
        exercises: a Python file of exercises of one's own, or empty.
    """
    config.Autograde.sanitize_preprocessors.prepend([f"{__name__}.RestoreCells"])
    config.Autograde.autograde_preprocessors.prepend([f"{__name__}.SandboxedGrade"])
    config.Execute.enabled = False
    config.ClearSolutions.enabled = False  # there are none, and the empty answers are ours
    config.RestoreCells.solutions = config.SandboxedGrade.solutions = solutions
    config.RestoreCells.exercises = config.SandboxedGrade.exercises = exercises


@functools.cache
def _handed_out(solutions: Path, exercises: Path | None) -> dict[str, NotebookNode]:
    if exercises:
        register(exercises)
    handed_out = {}
    for path in files.masters(solutions):
        master = files.read(path)
        # Read first: it tells what is wrong with a master in a line.
        assignment = read(master, path.stem)
        handed_out[path.stem] = marked(derive(master), assignment)
    return handed_out


class RestoreCells(NbGraderPreprocessor):
    """Keep of a submission its sources, and give it back the cells that were handed out."""

    solutions = Unicode("solutions", help="Folder of the master notebooks.").tag(config=True)
    exercises = Unicode("", help="Python file of exercises of your own.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        if len(nb.cells) > MOST_CELLS:
            raise NbGraderException(
                f"the notebook has {len(nb.cells)} cells, more than the {MOST_CELLS} that are graded"
            )
        handed_out = _handed_out(Path(self.solutions), _own(self.exercises)).get(resources["nbgrader"]["notebook"])
        if handed_out is None:
            raise NbGraderException(f"{resources['nbgrader']['notebook']} is no chapter of {self.solutions}")
        known = {cell.metadata.nbgrader.grade_id: cell for cell in handed_out.cells if "nbgrader" in cell.metadata}
        cells = []
        for cell in nb.cells:
            original = known.get(_claimed(cell))
            if original is not None and original.cell_type == cell.cell_type:
                del known[original.metadata.nbgrader.grade_id]
                source = original.source if original.metadata.nbgrader.locked else _harmless(cell)
                cells.append(_new(cell.cell_type, source, original.metadata))
            elif cell.cell_type in ("code", "markdown"):
                cells.append(_new(cell.cell_type, _harmless(cell), {}))
        # What is missing counts as not answered.
        missing = (cell for cell in known.values() if cell.metadata.nbgrader.grade)
        cells += [_new(cell.cell_type, cell.source, cell.metadata) for cell in missing]
        made = nbformat.v4.new_notebook(cells=cells, metadata=handed_out.metadata)
        return made, resources


def _own(exercises: str) -> Path | None:
    return Path(exercises).resolve() if exercises else None


def _claimed(cell: NotebookNode) -> str | None:
    own = cell.metadata.get("nbgrader")
    claimed = own.get("grade_id") if isinstance(own, dict) else None
    return claimed if isinstance(claimed, str) else None


def _harmless(cell: NotebookNode) -> str:
    """Take from Markdown what nbgrader's feedback would hand to a browser as it is: HTML, and links, which may run."""
    if cell.cell_type == "code":
        return cell.source
    return cell.source.replace("<", "&lt;").replace("](", "] (").replace("]:", "] :")


def _new(kind: str, source: str, metadata: dict) -> NotebookNode:
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, metadata=nbformat.from_dict(metadata))


class SandboxedGrade(NbGraderPreprocessor):
    """Run a submission in the sandbox and write the points of the trusted checks where nbgrader reads them."""

    solutions = Unicode("solutions", help="Folder of the master notebooks.").tag(config=True)
    exercises = Unicode("", help="Python file of exercises of your own.").tag(config=True)
    secret = Unicode("", help="File of the secret seeds; by default beside nbgrader's database.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        database = Path(resources["nbgrader"]["db_url"].removeprefix("sqlite:///"))
        secret_file = Path(self.secret) if self.secret else database.with_name(SECRET)
        task = _task(Path(self.solutions), secret_file, _own(self.exercises))
        student = resources["nbgrader"]["student"]
        outcome = grade_one(task, Submission(student, student, content=nbformat.writes(nb).encode()))
        if outcome.problem:
            raise NbGraderException(outcome.problem)
        for cell in nb.cells:
            own = cell.metadata.get("nbgrader", {})
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
                if own.get("grade"):
                    exercise = own["grade_id"].removesuffix("-check")
                    cell.outputs = _outputs([part for part in outcome.parts if part.exercise == exercise])
        for note in outcome.notes:
            self.log.info("%s: %s", student, note)
        return nb, resources


def _outputs(parts: list[PartMark]) -> list[NotebookNode]:
    """The message of every part, as text, and the points, as nbgrader reads them."""
    lines = [f"{'✗' if p.message else '✓'} {p.part} ({p.points}/{p.maximum}) {p.message}".rstrip() for p in parts]
    messages = nbformat.v4.new_output("stream", name="stdout", text="\n".join(lines) + "\n")
    points = nbformat.v4.new_output("execute_result", {"text/plain": str(sum(part.points for part in parts))})
    return [messages, points]


@functools.cache
def _task(solutions: Path, secret_file: Path, exercises: Path | None) -> Task:
    if exercises:
        register(exercises)
    own = secret.of_file(secret_file)
    seeds = {exercise: secret.seed(own, exercise) for exercise in EXERCISES}
    return Task(load(solutions), seeds, modules(solutions), exercises=exercises)
