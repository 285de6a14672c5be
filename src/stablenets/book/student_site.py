"""The Sphinx extension that leads from the pages of exercises to the student notebooks, which have no solutions."""

from pathlib import Path
from typing import Any

from stablenets.book.languages import _
from stablenets.masters import student_notebook
from stablenets.phrases import N_

# The workflow that publishes the site puts the notebooks on this branch.
BRANCH = "student"
LINE = N_(
    'Work on these exercises in a notebook without the solutions: <a href="{colab}">open it in Colab</a>, '
    '<a href="{binder}">in Binder</a>, or <a href="{copy}" download>download it</a>.'
)


def setup(app: Any) -> dict[str, bool]:
    # After the theme, whose buttons would open the solutions.
    app.connect("html-page-context", lead_to_notebook, priority=900)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def lead_to_notebook(app: Any, page: str, template: str, context: dict, document: Any) -> None:
    """Put the ways to a student notebook below the title of its page, and behind the theme's buttons."""
    folder, _slash, chapter = page.rpartition("/")
    if folder != "solutions" or app.builder.format != "html":
        return
    repository = app.config.html_theme_options["repository_url"].removeprefix("https://github.com/")
    links = {
        "colab": f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{chapter}.ipynb",
        "binder": f"https://mybinder.org/v2/gh/{repository}/{BRANCH}?urlpath=tree/{chapter}.ipynb",
    }
    title, end, rest = context["body"].partition("</h1>")
    line = _(LINE).format(**links, copy=f"../{BRANCH}/{chapter}.ipynb")
    # The page around it may be one that is not translated yet.
    tag = app.config.language.replace("_", "-")
    context["body"] = f'{title}{end}<p class="student-notebook" lang="{tag}">{line}</p>{rest}'
    for button in _flat(context["header_buttons"]):
        for name, link in links.items():
            if name in button.get("url", ""):
                button["url"] = link


def _flat(buttons: list[dict]) -> list[dict]:
    return [found for button in buttons for found in (button, *_flat(button.get("buttons", [])))]


def write_notebooks(app: Any, error: Exception | None) -> None:
    """Write the student notebooks into the site, for those who read it offline."""
    if error is None and app.builder.format == "html":
        list(student_notebook.write_all(Path(app.srcdir) / "solutions", Path(app.outdir) / BRANCH))
