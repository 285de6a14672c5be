"""What the tests of the book read from its notebooks."""

import ast
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from stablenets.book import notebooks
from stablenets.masters.cells import is_for_colab

ROOT = Path(__file__).parents[1]
PATHS = notebooks.paths(ROOT)
CHAPTERS = [path for path in PATHS if path.parent.name == "chapters"]
SOLUTIONS = [path for path in PATHS if path.parent.name == "solutions"]


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[NotebookNode]:
    """All code cells but the one for Colab."""
    return [cell for cell in read(path).cells if cell.cell_type == "code" and not is_for_colab(cell)]


def name(path: Path) -> str:
    """For the ids of parametrized tests."""
    return f"{path.parent.name}/{path.stem}"


NOT_PROSE = re.compile(
    r"""
    \$\$.*?\$\$(\s*\([\w-]+\))?     # displayed mathematics, with its label
    | \$[^$]*\$                     # mathematics in a line
    | ```.*?```                     # code
    | \{[\w:]+\}`[^`]*`             # roles: citations, references
    | `[^`]*`                       # code in a line
    | ^:[\w-]+:.*?$                 # options of a directive
    | ^\([\w-]+\)=$                 # labels
    | \]\([^)]*\)                   # targets of links
    | https?://\S+
    | \(\d{4}(,[^)]*)?\)           # year of a citation written out, for readers without the book
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
# Not the number in a name such as ResNet-50.
NUMBER = re.compile(r"(?<![\w.])(?<![A-Za-z]-)[−-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w]|\.\d)")


def prose_numbers(markdown: str) -> set[float]:
    """The numbers that a reader of a text cell meets in its prose, without sign."""
    prose = NOT_PROSE.sub(" ", markdown)
    return {abs(float(match.replace(",", "").replace("−", "-"))) for match in NUMBER.findall(prose)}


def code_numbers(source: str) -> set[float]:
    """The numbers that stand in code, without sign; those in the text of a claim count as well, since it is checked."""
    tree = ast.parse(source)
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    numbers = {abs(float(c)) for c in constants if isinstance(c, (int, float)) and not isinstance(c, bool)}
    powers = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)]
    for power in powers:
        if all(isinstance(side, ast.Constant) for side in (power.left, power.right)):
            numbers.add(float(power.left.value) ** power.right.value)
    return numbers


def sections(path: Path) -> list[tuple[str, str, str]]:
    """Split a notebook at its ``##`` headings: (heading, all its text, all its code)."""
    result = [("the opening", "", "")]
    for cell in read(path).cells:
        if cell.cell_type == "code":
            heading, text, code = result[-1]
            result[-1] = (heading, text, code + cell.source + "\n")
            continue
        for index, piece in enumerate(re.split(r"^## ", cell.source, flags=re.MULTILINE)):
            if index:
                result.append((piece.splitlines()[0], piece, ""))
            else:
                heading, text, code = result[-1]
                result[-1] = (heading, text + piece + "\n", code)
    return result
