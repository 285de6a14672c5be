"""Mend what the theme and its helpers leave in the way of screen readers and of the keyboard."""

from collections.abc import Callable
from html import escape

from bs4 import BeautifulSoup
from nbformat import NotebookNode
from sphinx.application import Sphinx

from stablenets.book.languages import _
from stablenets.phrases import N_

MENDED = {
    # What is in the references are no items of a list to a screen reader.
    '<div role="list" class="citation-list">': '<div class="citation-list">',
    # The visible words say what a fold hides; this label would be read in their place, the same on all.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # What is wider than the screen can be scrolled by keys.
    '<div class="math ': '<div tabindex="0" class="math ',
}
FOLD = N_("Pages below {}")


def mend(app: Sphinx, page: str, template: str, context: dict, document: object) -> None:
    """Mend the body of a page, and name the folds in the list of pages beside it."""
    for fault, mended in MENDED.items():
        if "body" in context:
            context["body"] = context["body"].replace(fault, mended)
    if "generate_toctree_html" in context:
        context["generate_toctree_html"] = _named(context["generate_toctree_html"])


def _named(generate: Callable[..., BeautifulSoup]) -> Callable[..., BeautifulSoup]:
    def named(**options: object) -> BeautifulSoup:
        tree = generate(**options)
        for fold in tree.select("li > details > summary"):
            fold["aria-label"] = _(FOLD).format(fold.find_previous("a").get_text())
        return tree

    return named


def describe_sliders(notebook: NotebookNode, translated: Callable[[str], str]) -> None:
    """Give every figure with a slider the text of its cell, which says what the whole of it shows."""
    for cell in notebook.cells:
        text = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
        for output in cell.get("outputs", []) if text else []:
            if "text/html" in output.get("data", {}):
                described = f'role="img" aria-description="{escape(translated(text))}"'
                output.data["text/html"] = output.data["text/html"].replace('role="img"', described, 1)
