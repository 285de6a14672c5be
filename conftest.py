"""What pytest does with notebooks: compare their text, and keep the outputs for the book."""

import time
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from stablenets.book import outputs

pytest_plugins = ["not_run"]
# Pictures and the measured values in claims differ in their last digits between processors; text never does.
NOT_COMPARED = ("text/html", "application/vnd.stablenets.claim+json")


def pytest_collectstart(collector):
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += NOT_COMPARED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Keep the outputs of a notebook once its last cell has passed."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    notebook = item.parent
    if item.cell_num == 0:
        notebook.started, notebook.executed = time.perf_counter(), []
    result = yield
    notebook.executed.append([nbformat.from_dict(output) for output in item.test_outputs])
    cells = [cell for cell in notebook.nb.cells if cell.cell_type == "code"]
    if len(notebook.executed) == len(cells):
        executed = nbformat.from_dict(notebook.nb)
        for cell, cell_outputs in zip((c for c in executed.cells if c.cell_type == "code"), notebook.executed):
            cell.outputs = cell_outputs
        root = item.config.rootpath
        outputs.save(executed, Path(item.path).relative_to(root), root, time.perf_counter() - notebook.started)
    return result
