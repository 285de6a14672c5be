"""What was handed in, parsed: from the bytes of a notebook, the code to run and the words on open questions."""

import collections
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from stablenets.grading.text import plain, plain_lines
from stablenets.masters.assignment import Assignment
from stablenets.masters.cells import CHECK, COLAB_LINE, stated, written

MOST_CELLS = 2000
DEFINITION = re.compile(r"^def[ \t]+(\w+)|^(\w+)[ \t]*=", re.MULTILINE)
LANGUAGE = (("language_info", "name"), ("kernelspec", "language"))
# Pasted into Markdown: the picture itself, in letters, or the name of one that the cell holds. Each count is bounded,
# so that no text takes long to search.
PICTURE = re.compile(r"!\[[^\]\n]{0,200}\]\((?:attachment|data):[^)\s]*\)?")


class Unreadable(ValueError):
    """The notebook cannot be graded; the text says why."""


class Notebook(NamedTuple):
    """What counts of a notebook.

    Attributes:
        chapter: slug of the assignment that it answers.
        code: sources of the code cells, in order, without the line that installs the package in Colab.
        texts: the student's words on each open question: (exercise, Markdown).
        notes: what the instructor may want to know.
    """

    chapter: str
    code: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


class Cell(NamedTuple):
    """One cell: ``exercise`` and ``role`` as its metadata tell, or empty."""

    kind: str
    source: str
    exercise: str
    role: str


def parse(content: bytes, assignments: Mapping[str, Assignment]) -> Notebook:
    """Parse a notebook that anyone may have made.

    Args:
        content: its bytes.
        assignments: by chapter.

    Raises:
        Unreadable: it is not a notebook of Python with cells, or answers none of the assignments.
    """
    data, notes = loaded(content)
    cells = cells_of(data)
    metadata = _mapping(data.get("metadata"))
    sources = (COLAB_LINE.sub("", cell.source) for cell in cells if cell.kind == "code")
    code = tuple(source for source in sources if source.strip())
    chapter = _chapter(cells, code, stated(metadata, "chapter"), assignments)
    assignment = assignments[chapter]
    texts = tuple(
        (question.exercise, _words(cells, assignment, question.exercise))
        for question in assignment.questions
        if not question.function
    )
    return Notebook(chapter, code, texts, (*notes, *_notes(data, metadata, cells, code, assignment)))


def loaded(content: bytes) -> tuple[Any, list[str]]:
    """Return the data, and a note if they had to be guessed."""
    if not content.strip():
        raise Unreadable("the file is empty")
    try:
        return json.loads(content), []
    except UnicodeDecodeError:
        return _guessed(content)
    except json.JSONDecodeError as error:
        raise Unreadable(f"the file is not a whole notebook: {plain(str(error))}") from None
    except (RecursionError, ValueError):
        raise Unreadable(
            "the file is not a notebook: its data are nested too deeply or hold too large a number"
        ) from None


def cells_of(data: Any) -> list[Cell]:
    """Return the cells of code and words."""
    raw = _raw_cells(data)
    if not raw:
        raise Unreadable("the notebook has no cells")
    if len(raw) > MOST_CELLS:
        raise Unreadable(f"the notebook has {len(raw)} cells, more than the {MOST_CELLS} that are graded")
    return [cell for cell in map(_cell, raw) if cell]


def _guessed(content: bytes) -> tuple[Any, list[str]]:
    # An editor on Windows may have written it; code reads the same.
    try:
        data = json.loads(content.decode("cp1252", "replace"))
    except (RecursionError, ValueError):
        raise Unreadable("the file is not text in UTF-8, as notebooks are") from None
    return data, ["the file is not in UTF-8: it was read as Windows-1252, and letters with accents may be wrong"]


def _raw_cells(data: Any) -> list:
    if not isinstance(data, dict) or not isinstance(version := data.get("nbformat"), int):
        raise Unreadable("the file is JSON but not a notebook: it does not say its format")
    # Not by nbformat's own converter, which takes 10 s and 2 GiB for a file of 10 MiB that someone made for it.
    if version == 3:
        sheets = data.get("worksheets")
        lists = [_mapping(sheet).get("cells") for sheet in sheets] if isinstance(sheets, list) else []
        return [cell for cells in lists if isinstance(cells, list) for cell in cells]
    if version != 4:
        raise Unreadable(f"the notebook has format {plain(str(version), 20)}, which is not known: 4 is")
    cells = data.get("cells")
    return cells if isinstance(cells, list) else []


def _mapping(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def _cell(raw: Any) -> Cell | None:
    """Return a cell of code or words; None for others."""
    if not isinstance(raw, dict) or raw.get("cell_type") not in ("code", "markdown"):
        return None
    # Format 3 calls the source of a code cell its input.
    source = raw.get("source", raw.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return None
    own = (stated(raw.get("metadata"), name) for name in ("exercise", "role"))
    exercise, role = (value if isinstance(value, str) else "" for value in own)
    return Cell(raw["cell_type"], source.encode("utf-8", "replace").decode(), exercise, role)


def _chapter(cells: list[Cell], code: tuple[str, ...], chapter: object, assignments: Mapping[str, Assignment]) -> str:
    """Return the chapter of most exercises, as cells' metadata, checks or functions tell, or else as stated."""
    defined = {name for source in code for pair in DEFINITION.findall(source) for name in pair}
    for mentioned, name in [
        ({cell.exercise for cell in cells}, "exercise"),
        (_checked(code), "exercise"),
        (defined - {""}, "function"),
    ]:
        counts = collections.Counter(
            {
                slug: sum(getattr(question, name) in mentioned for question in assignment.questions)
                for slug, assignment in assignments.items()
            }
        )
        commonest, count = counts.most_common(1)[0]
        if count:
            return commonest
    if isinstance(chapter, str) and chapter in assignments:
        return chapter
    raise Unreadable("the notebook answers no exercise of the course: no cell, check or function of one was found")


def _checked(code: tuple[str, ...]) -> set[str]:
    return {exercise for source in code for exercise, _ in CHECK.findall(source)}


def _words(cells: list[Cell], assignment: Assignment, exercise: str) -> str:
    """What stands between the statement of an open question and the next statement, without what was handed out."""
    titles = {f"## {question.title}": question.exercise for question in assignment.questions}
    words, current = [], ""
    for cell in cells:
        text = cell.source.strip()
        # Programs that know nothing of the course may lose the metadata; the headings are still there.
        heading = next((line.rstrip() for line in text.split("\n", 3)[:3] if line.startswith("## ")), "")
        if cell.role == "statement" or (not cell.role and heading in titles):
            current = cell.exercise or titles.get(heading, "")
        elif exercise in (current, cell.exercise) and cell.role != "check":
            # Some write below the hint, or below the line that asks for an answer.
            text = PICTURE.sub("[a picture: see the notebook]", written(text)).strip()
            words += [text if cell.kind == "markdown" else f"```\n{text}\n```"] if text else []
    return plain_lines("\n\n".join(words))


def _notes(data: dict, metadata: dict, cells: list[Cell], code: tuple[str, ...], assignment: Assignment) -> list[str]:
    notes = ["the notebook has the old format 3"] if data["nbformat"] == 3 else []
    languages = (_mapping(metadata.get(place)).get(key) for place, key in LANGUAGE)
    language = next((value for value in languages if isinstance(value, str)), "python")
    if "python" not in language.lower():
        notes.append(f"the notebook says that it is written in {plain(language, 40)}, not in Python")
    for role in ("answer", "check"):
        seen = collections.Counter(cell.exercise for cell in cells if cell.role == role)
        asked = [q.exercise for q in assignment.questions if q.function or role == "answer"]
        if missing := [exercise for exercise in asked if not seen[exercise]]:
            notes.append(f"{len(missing)} of {len(asked)} {role} cells are missing: {', '.join(missing)}")
        if twice := [exercise for exercise in asked if seen[exercise] > 1]:
            notes.append(f"{role} cells stand there more than once: {', '.join(twice)}")
    known = {question.exercise for question in assignment.questions}
    if other := sorted(({cell.exercise for cell in cells} | _checked(code)) - known - {""}):
        notes.append(f"cells of exercises that this chapter does not have: {plain(', '.join(other), 200)}")
    return notes
