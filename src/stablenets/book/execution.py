"""Sphinx hooks: execute the notebooks that have no valid outputs, and hand every notebook over with its outputs."""

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from stablenets.book import outputs
from stablenets.book.accessible import describe_sliders
from stablenets.book.folding import fold_code
from stablenets.book.languages import of_page, phrases
from stablenets.book.sentences import translate_outputs

PARALLEL_KERNELS = 2

logger = logging.getLogger(__name__)


def find_outdated(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """Pages whose outputs were computed by other code than there is now must be read again."""
    root = Path(app.srcdir)
    present = [docname for docname in env.all_docs if docname in env.found_docs]
    return [
        docname for docname in present if any(outputs.kept(name, root) is None for name in _notebooks(env, [docname]))
    ]


def execute_missing(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Execute, a few at a time, the notebooks that have no valid outputs, before the pages are read."""
    root = Path(app.srcdir)
    missing = [name for name in _notebooks(env, docnames) if outputs.kept(name, root) is None]
    pool = ThreadPoolExecutor(PARALLEL_KERNELS)
    try:
        runs = {pool.submit(_produce, name, root): name for name in missing}
        for done, run in enumerate(as_completed(runs), start=1):
            logger.info("executed %s in %.1f s (%d of %d)", runs[run], run.result(), done, len(missing))
    finally:
        # After an error or Ctrl-C nothing more is begun.
        pool.shutdown(cancel_futures=True)


def _produce(name: Path, root: Path) -> float:
    """Execute a notebook in a process of its own, which ends its kernel when Ctrl-C ends it; return the seconds."""
    command = [sys.executable, "-m", "stablenets.book.outputs", name.as_posix()]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if done.returncode:
        raise ExtensionError(f"{name} was not executed to its end; see above")
    return float(done.stdout)


def insert_outputs(app: Sphinx, docname: str, source: list[str]) -> None:
    """Hand the page's notebook to the parser together with its outputs."""
    for name in _notebooks(app.env, [docname]):
        executed = outputs.kept(name, Path(app.srcdir))
        if executed is None:
            raise ExtensionError(f"{name} changed while the book was being built; build it again")
        fold_code(executed)
        translate_outputs(executed, phrases(app, docname))
        describe_sliders(executed, of_page(app, docname))
        source[0] = nbformat.writes(executed)


def _notebooks(env: BuildEnvironment, docnames: Iterable[str]) -> list[Path]:
    names = (Path(env.doc2path(name, base=False)) for name in docnames)
    return [name for name in names if name.suffix == ".ipynb"]
