"""Mend what the theme and its helpers leave in the way of screen readers."""

from sphinx.application import Sphinx


def mend(app: Sphinx, page: str, template: str, context: dict, document: object) -> None:
    """Let the references be no list, since what is in it are no items to a screen reader but entries."""
    if "body" in context:
        context["body"] = context["body"].replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )
