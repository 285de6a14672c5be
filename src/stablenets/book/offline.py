"""Pages that need no network: the site carries the one file of MathJax that they load, and asks no server."""

import importlib.util
import shutil
from pathlib import Path

from sphinx.application import Sphinx

# Everything in one file, drawn as SVG, so that no font is loaded either.
MATHJAX = "tex-svg-full.js"
PACKAGE = "sphinx-mathjax-offline"


def use_own_mathjax(app: Sphinx, config: object) -> None:
    config.mathjax_path = f"mathjax/{MATHJAX}"


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Put the file beside the other static files of the site.

    Raises:
        ModuleNotFoundError: the package that holds it is not installed.
    """
    if error is not None or app.builder.format != "html":
        return
    found = importlib.util.find_spec(PACKAGE)
    if found is None:
        raise ModuleNotFoundError(f"{PACKAGE} holds MathJax for pages that work offline: pip install {PACKAGE}")
    to = Path(app.outdir) / "_static" / "mathjax"
    to.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(found.submodule_search_locations[0]) / "static" / "mathjax" / MATHJAX, to)


def leave_out_thebe(app: Sphinx, page: str, template: str, context: dict, document: object) -> None:
    """Leave out the scripts of Thebe, which needs a server, and which Jupyter Book adds twice to every page."""
    kept = [file for file in context.get("script_files", []) if "thebe" not in str(vars(file)).lower()]
    context["script_files"] = kept
