"""What a cell of an exercise is: its metadata, its role, and the marks in its text.

Masters, student notebooks, pages of the book and what a class hands in are read by these alone.
"""

import ast
import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

# Where the metadata of a cell name its exercise and its role, and those of a student notebook its chapter.
KEY = "stablenets"
# In the order in which they stand in a master. Cells without one are shared by all exercises.
ROLES = ("statement", "hint", "answer", "check", "wrong", "alternative", "discussion", "rubric")
FOR_STUDENTS = ("statement", "hint", "answer", "check")

# An exercise is named by the call of a check or of a proof in code, and by its facts in text.
NAMED_IN_CODE = re.compile(r"""\b(?:check|wrong|alternative)\(\s*["']([\w-]+)["']""")
NAMED_IN_TEXT = re.compile(r"\{exercise\}`([\w-]+)`")
# With the name of the function, where it is handed in by a name.
CHECK = re.compile(r"""\bcheck\(\s*["']([\w-]+)["'](?:\s*,\s*(?:answer\s*=\s*)?(\w+)\s*[,)])?""")
HEADING = re.compile(r"^## (.*\S)", re.MULTILINE)

MARK = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.DOTALL | re.MULTILINE)
OPEN_ANSWER = "*Write your answer here.*"

# What the reader opens on demand, in the markup of the book and in that of every notebook program.
DROPDOWN = re.compile(r"^:::\{dropdown\} (.+?)\n(.*?)^:::$", re.DOTALL | re.MULTILINE)
DETAILS, END_OF_DETAILS = "<details><summary>{}</summary>", "</details>"
PLAIN_DROPDOWN = DETAILS.format(r"\1") + "\n\n" + r"\2" + "\n" + END_OF_DETAILS

# The book does not show the cell for Colab. What a class hands in may have merged its line with others.
COLAB_TAG = "remove-cell"
IN_COLAB = 'if "google.colab" in str(get_ipython()):'
COLAB_LINE = re.compile(f"^{re.escape(IN_COLAB)}.*$", re.MULTILINE)


def stated(metadata: Any, name: str) -> Any:
    """Return what metadata of any kind, such as those of a submission, state in our name; None if nothing."""
    own = metadata.get(KEY) if isinstance(metadata, Mapping) else None
    return own.get(name) if isinstance(own, Mapping) else None


def exercise_id(cell: Mapping) -> str | None:
    """Return the id of the exercise that a cell belongs to, or None."""
    return stated(cell["metadata"], "exercise")


def role(cell: Mapping) -> str | None:
    """Return what a cell is to its exercise, or None for the cells that all exercises share."""
    return stated(cell["metadata"], "role")


def title(statement: str) -> str | None:
    """Return the heading of a statement, or None if it has none."""
    found = HEADING.search(statement)
    return found[1] if found else None


def parsed(source: str) -> ast.Module:
    """Parse the code of a cell.

    Raises:
        SyntaxError: it is not Python, not even without the magics of notebooks.
    """
    try:
        return ast.parse(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        return ast.parse(TransformerManager().transform_cell(source))


def handed_in(check: str) -> tuple[str, str]:
    """Return the exercise and the name of the function that a check cell hands in.

    Raises:
        ValueError: it does not call ``check("id", function)`` once.

    >>> handed_in('check("uniform-bound", uniform_bound)')
    ('uniform-bound', 'uniform_bound')
    """
    calls = [node for node in ast.walk(parsed(check)) if isinstance(node, ast.Call)]
    calls = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "check"]
    if len(calls) != 1:
        raise ValueError(f'it must call check("id", function) once, and does so {len(calls)} times')
    match calls[0].args:
        case [ast.Constant(value=str(id)), ast.Name(id=function)]:
            return id, function
    raise ValueError(f'it must call check("id", function), with the name of a function, got {ast.unparse(calls[0])}')


def without_solution(answer: str) -> str:
    """Replace the marked solution by ``...``.

    Raises:
        ValueError: there is not exactly one.
    """
    emptied, count = SOLUTION.subn(r"\1...", answer)
    if count != 1:
        raise ValueError(f"an answer must mark exactly one solution, found {count} in:\n{answer}")
    return emptied


def without_marks(source: str) -> str:
    """Leave out the marks around a solution, which are for those who make student notebooks, not for readers."""
    return MARK.sub("", source)


def without_dropdowns(source: str) -> str:
    """Return Markdown with the text of its dropdowns open."""
    return DROPDOWN.sub(r"\2", source)


def plain_dropdowns(source: str) -> str:
    """Return Markdown with its dropdowns in the markup of every notebook program."""
    return DROPDOWN.sub(PLAIN_DROPDOWN, source)


def written(text: str) -> str:
    """Return what a student wrote in a cell that was handed out: below a hint, or below the line for an answer."""
    hint = text.startswith(DETAILS.format("Hint"))
    return text.partition(END_OF_DETAILS)[2] if hint else text.replace(OPEN_ANSWER, "")


def colab_cell(url: str) -> str:
    """The cell that installs the package in Colab, where torch and its like are there already; elsewhere a no-op."""
    return f'{IN_COLAB} get_ipython().run_line_magic("pip", "install -q --no-deps git+{url}")'


def is_for_colab(cell: NotebookNode) -> bool:
    """Whether it is the cell that installs the package in Colab."""
    return COLAB_TAG in cell.metadata.get("tags", [])
