"""Read what was handed in: from the bytes of a notebook, the code to run and the words on open questions."""

import codecs
import collections
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import nbformat

from stablenets.book.notebooks import COLAB_TAG
from stablenets.grading.plain import plain, plain_lines
from stablenets.grading.records import Assignment
from stablenets.grading.student import OPEN_ANSWER

MOST_CELLS = 2000
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
CHECK = re.compile(r"""\bcheck\(\s*["']([\w-]+)["']""")
DEFINITION = re.compile(r"^def[ \t]+(\w+)|^(\w+)[ \t]*=", re.MULTILINE)
COLAB_INSTALL = re.compile(r"google\.colab.*run_line_magic")


class Unreadable(ValueError):
    """The notebook cannot be graded; the text says why."""


class Notebook(NamedTuple):
    """What counts of a notebook.

    Attributes:
        chapter: slug of the assignment that it answers.
        code: sources of the code cells, in order.
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


def read(content: bytes, assignments: Mapping[str, Assignment]) -> Notebook:
    """Read a notebook that anyone may have made.

    Args:
        content: its bytes.
        assignments: by chapter.

    Raises:
        Unreadable: it is not a notebook of Python with cells, or answers none of the assignments.
    """
    data = _notebook(_parsed(content))
    raw = data.get("cells")
    if not isinstance(raw, list) or not raw:
        raise Unreadable("the notebook has no cells")
    if len(raw) > MOST_CELLS:
        raise Unreadable(f"the notebook has {len(raw)} cells, more than the {MOST_CELLS} that are graded")
    cells = [cell for cell in map(_cell, raw) if cell]
    chapter = _chapter(cells, assignments)
    assignment = assignments[chapter]
    code = tuple(cell.source for cell in cells if cell.kind == "code" and cell.source.strip())
    texts = tuple(
        (question.exercise, _words(cells, assignment, question.exercise))
        for question in assignment.questions
        if not question.function
    )
    return Notebook(chapter, code, texts, tuple(_notes(cells, assignment)))


def _parsed(content: bytes) -> Any:
    if not content.strip():
        raise Unreadable("the file is empty")
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return json.loads(content.decode(encoding))
    except UnicodeDecodeError:
        raise Unreadable("the file is not text in UTF-8, as notebooks are") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"the file is not a whole notebook: {plain(str(error))}") from None
    except (RecursionError, ValueError):
        raise Unreadable(
            "the file is not a notebook: its data are nested too deeply or hold too large a number"
        ) from None


def _notebook(data: Any) -> dict:
    """Return a notebook of format 4."""
    if not isinstance(data, dict) or not isinstance(version := data.get("nbformat"), int):
        raise Unreadable("the file is JSON but not a notebook: it does not say its format")
    if version > 4:
        raise Unreadable(f"the notebook has format {plain(str(version), 20)}, which is not known: 4 is")
    if version < 4:
        try:
            return nbformat.convert(nbformat.from_dict(data), 4)
        # The converter raises whatever a malformed old notebook leads to.
        except Exception as error:
            raise Unreadable(f"the notebook has the old format {version} and cannot be converted: "
                             f"{type(error).__name__}") from None  # fmt: skip
    metadata = data.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language") if isinstance(kernel, dict) else None
    if isinstance(language, str) and language.lower() not in ("python", ""):
        raise Unreadable(f"the notebook is written in {plain(language, 40)}, not in Python")
    return data


def _cell(raw: Any) -> Cell | None:
    """Return a cell that can be graded; None for others, and for the cell that installs the package in Colab."""
    if not isinstance(raw, dict) or raw.get("cell_type") not in ("code", "markdown"):
        return None
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return None
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    tags, own = metadata.get("tags"), metadata.get("stablenets")
    if (isinstance(tags, list) and COLAB_TAG in tags) or COLAB_INSTALL.search(source[:500]):
        return None
    own = own if isinstance(own, dict) else {}
    exercise, role = (value if isinstance(value := own.get(name), str) else "" for name in ("exercise", "role"))
    return Cell(raw["cell_type"], source.encode("utf-8", "replace").decode(), exercise, role)


def _chapter(cells: list[Cell], assignments: Mapping[str, Assignment]) -> str:
    """Return the chapter of most exercises, as the cells' metadata, the checks or the functions' names tell."""
    code = "\n".join(cell.source for cell in cells if cell.kind == "code")
    defined = {name for pair in DEFINITION.findall(code) for name in pair}
    for found, name in [
        ({cell.exercise for cell in cells}, "exercise"),
        (set(CHECK.findall(code)), "exercise"),
        (defined, "function"),
    ]:
        counts = collections.Counter(
            {
                chapter: sum(getattr(question, name) in found for question in assignment.questions)
                for chapter, assignment in assignments.items()
            }
        )
        chapter, count = counts.most_common(1)[0]
        if count:
            return chapter
    raise Unreadable("the notebook answers no exercise of the course: no cell, check or function of one was found")


def _words(cells: list[Cell], assignment: Assignment, exercise: str) -> str:
    """What stands between the statement of an open question and the next statement, without what was handed out."""
    titles = {f"## {question.title}": question.exercise for question in assignment.questions}
    words, current = [], ""
    for cell in cells:
        text = cell.source.strip()
        # Programs that know nothing of the course may lose the metadata; the headings are still there.
        heading = next((line for line in text.split("\n", 3)[:3] if line.startswith("## ")), "")
        if cell.role == "statement" or (not cell.role and heading in titles):
            current = cell.exercise or titles.get(heading, "")
        elif text and exercise in (current, cell.exercise) and cell.role not in ("hint", "check"):
            words.append(text if cell.kind == "markdown" else f"```\n{text}\n```")
    return plain_lines("\n\n".join(word for word in words if word != OPEN_ANSWER))


def _notes(cells: list[Cell], assignment: Assignment) -> list[str]:
    notes = []
    for role in ("answer", "check"):
        seen = collections.Counter(cell.exercise for cell in cells if cell.role == role)
        asked = [q.exercise for q in assignment.questions if q.function or role == "answer"]
        if missing := [exercise for exercise in asked if not seen[exercise]]:
            notes.append(f"{len(missing)} of {len(asked)} {role} cells are missing: {', '.join(missing)}")
        if twice := [exercise for exercise in asked if seen[exercise] > 1]:
            notes.append(f"{role} cells stand there more than once: {', '.join(twice)}")
    known = {question.exercise for question in assignment.questions}
    if other := sorted({cell.exercise for cell in cells} - known - {""}):
        notes.append(f"cells of exercises that this chapter does not have: {plain(', '.join(other), 200)}")
    return notes
