"""An invented class: notebooks as some thirty students hand them in, right, wrong, blank, broken and hostile.

Run from a clone: ``python examples/classroom.py FOLDER`` writes the submissions, for ``stablenets grade``, and
``python examples/classroom.py --mark results/manual.csv`` plays the instructor who marks the open questions.
"""

import argparse
import ast
import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from stablenets.masters.cells import role
from stablenets.masters.student_notebook import derive

SOLUTIONS = Path(__file__).parents[1] / "solutions"
TREES = [
    "Acacia", "Alder", "Almond", "Apple", "Ash", "Aspen", "Bay", "Beech", "Birch", "Cedar", "Cherry",
    "Chestnut", "Cypress", "Elder", "Elm", "Fig", "Fir", "Hazel", "Holly", "Juniper", "Larch", "Laurel", "Lime",
    "Maple", "Oak", "Olive", "Palm", "Pear", "Pine", "Plum", "Poplar", "Rowan",
]  # fmt: skip
# What a student of each kind writes: shares of right, otherwise right, wrong and blank answers.
KINDS = {"able": (6, 3, 1, 0), "middling": (3, 1, 4, 1), "lost": (1, 0, 4, 4)}

TEXTS = {
    "answer": "All hidden units get the same gradient, so *no* step can tell them apart.",
    "alternative": "By permutation symmetry: a step commutes with exchanging two equal units.",
    "wrong": "The learning rate is too small. <img src=x onerror=alert(1)>",
}
HOSTILE = {
    "Bay": "from IPython.display import HTML\nHTML('<script>alert(1)</script>')\nprint('✓ 100 of 100 points')",
    "Cedar": "import os\nos._exit(0)",
    "Elm": "while True:\n    pass",
    "Fig": "import stablenets.checks as c\nc.check = lambda *arguments, **options: 'full marks'",
    "Holly": "print(open('/etc/passwd').read())\nimport urllib.request\nurllib.request.urlopen('http://example.org')",
    "Larch": "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    "Olive": "x = bytearray(2**40)",
}


def write_class(folder: Path, chapter: str = "initialization") -> None:
    """Write the submissions of one chapter, a folder for each student."""
    master = nbformat.read(SOLUTIONS / f"{chapter}.ipynb", as_version=4)
    broken = dict(_broken(nbformat.writes(derive(master)).encode()))
    dice = random.Random(0)
    for number, name in enumerate(TREES):
        kind = list(KINDS)[number % len(KINDS)]
        notebook = _answered(master, KINDS[kind], dice)
        if name in HOSTILE:
            notebook.cells.insert(2, nbformat.v4.new_code_cell(HOSTILE[name]))
        content = broken.get(name, nbformat.writes(notebook).encode())
        _write(folder / name / f"{chapter}.ipynb", content)
    # One student hands in twice, one under a name that spreadsheets would run, one only a description.
    _write(folder / "Oak" / f"{chapter}-new.ipynb", nbformat.writes(_answered(master, KINDS["able"], dice)).encode())
    _write(folder / '=HYPERLINK("x")' / f"{chapter}.ipynb", nbformat.writes(derive(master)).encode())
    _write(folder / "Yew" / "answers.txt", b"I could not open the notebook.")


def _broken(blank: bytes) -> Iterator[tuple[str, bytes]]:
    yield "Acacia", b""
    yield "Cherry", blank[:5000]
    yield "Hazel", blank.replace(b'"nbformat": 4', b'"nbformat": 40')
    yield "Lime", b"\x89PNG\r\n\x1a\n" + bytes(100)
    yield "Pear", b"[" * 100_000
    yield "Plum", json.dumps({"padding": "x" * 11 * 2**20}).encode()
    yield "Rowan", blank


def _answered(master: NotebookNode, shares: tuple[int, ...], dice: random.Random) -> NotebookNode:
    """Fill in the student notebook as someone does who knows this much."""
    written = {kind: {} for kind in ("answer", "alternative", "wrong")}
    for cell in master.cells:
        if cell.cell_type == "code" and role(cell) in written:
            written[role(cell)].setdefault(cell.metadata.stablenets.exercise, []).append(cell.source)
    notebook = derive(master)
    for cell in notebook.cells:
        if role(cell) != "answer":
            continue
        exercise = cell.metadata.stablenets.exercise
        (kind,) = dice.choices([*written, "blank"], shares)
        if cell.cell_type == "markdown":
            cell.source = TEXTS.get(kind, "")
        else:
            # Some wrong answers of the master call the right one, which a student does not have.
            name, sources = _name(cell.source), written.get(kind, {}).get(exercise, [])
            if sources := [source for source in sources if kind == "answer" or f"{name}(" not in source]:
                cell.source = _renamed(dice.choice(sources), name)
    return notebook


def _name(source: str) -> str:
    return next(node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))


def _renamed(source: str, name: str) -> str:
    """Give the last function the name that the exercise asks for, without the mark of a proof."""
    tree = ast.parse(source)
    function = [node for node in tree.body if isinstance(node, ast.FunctionDef)][-1]
    function.name, function.decorator_list = name, []
    return ast.unparse(tree)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def mark_sheet(sheet: Path) -> None:
    """Give every open answer half of its points and a comment."""
    with open(sheet, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["points"], row["comment"] = float(row["maximum"]) / 2, "Right, but say why."
    with open(sheet, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("path", type=Path, help="folder to write to, or the sheet of marks with --mark")
    parser.add_argument("--mark", action="store_true", help="mark the open questions in a sheet instead")
    options = parser.parse_args()
    (mark_sheet if options.mark else write_class)(options.path)


if __name__ == "__main__":
    main()
