"""What the book folds: the code behind a claim, and the known wrong answers of an exercise."""

from itertools import groupby

from docutils import nodes
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx_design.shared import create_component

from stablenets.book.languages import _
from stablenets.masters.cells import role, without_marks
from stablenets.phrases import N_

TITLES = {
    "wrong": (N_("One wrong answer, and what it is told"), N_("{} wrong answers, and what they are told")),
    "alternative": (N_("Another right answer"), N_("{} other right answers")),
}

SHOW, HIDE = N_("Show the code"), N_("Hide the code")
# Set in the notebooks.
SOLUTION = N_("Show the solution"), N_("Hide the solution")

DROPDOWN = {"type": "dropdown", "opened": False, "has_title": True, "icon": None, "chevron": None} | {
    f"{part}_classes": [] for part in ("container", "title", "body")
}


def fold_code(notebook: NotebookNode) -> None:
    """Fold the code of cells that only make a claim, whose box says it all, and say on every fold what it hides."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.source = without_marks(cell.source)
        tags = cell.metadata.get("tags", [])
        if cell.source.startswith("claim("):
            cell.metadata["tags"] = [*tags, "hide-input"]
            _prompt(cell, _("How it is checked"), _("Hide the check"))
        elif "hide-input" in tags:
            own = cell.metadata.get("mystnb", {})
            _prompt(cell, _(own.get("code_prompt_show", SHOW)), _(own.get("code_prompt_hide", HIDE)))


def _prompt(cell: NotebookNode, show: str, hide: str) -> None:
    cell.metadata.setdefault("mystnb", {}).update(code_prompt_show=str(show), code_prompt_hide=str(hide))


def group_answers(app: Sphinx, doctree: nodes.document) -> None:
    """Put neighbouring cells of wrong answers, and of other right ones, behind one title each.

    The role of every cell becomes a class, so that a worksheet can be printed without the answers.
    """
    for cell in doctree.findall(nodes.container):
        if _role(cell):
            cell["classes"].append(f"role-{_role(cell)}")
    parents = {cell.parent for cell in doctree.findall(nodes.container) if _role(cell) in TITLES}
    for parent in parents:
        for kind, run in [(kind, list(run)) for kind, run in groupby(parent.children, key=_role)]:
            if kind in TITLES:
                one, many = TITLES[kind]
                title = nodes.rubric("", _(one) if len(run) == 1 else _(many).format(len(run)))
                place = parent.index(run[0])
                for cell in run:
                    parent.remove(cell)
                box = create_component("dropdown", **DROPDOWN)
                box += [title, *run]
                parent.insert(place, box)


def _role(node: nodes.Node) -> str | None:
    """The role of a code cell in its exercise, or None."""
    return role({"metadata": node.get("cell_metadata")}) if isinstance(node, nodes.container) else None
