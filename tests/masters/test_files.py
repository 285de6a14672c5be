"""A notebook is read or told by the name of its file, and written whole."""

import json

import nbformat
import pytest

from stablenets.masters import files

NOTEBOOK = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Because.")])


def test_notebook_is_read_as_it_was_written_and_nothing_else_is_left(tmp_path):
    files.write(NOTEBOOK, tmp_path / "x.ipynb")
    assert files.read(tmp_path / "x.ipynb") == NOTEBOOK
    assert [path.name for path in tmp_path.iterdir()] == ["x.ipynb"]


@pytest.mark.parametrize(
    "change", [{"cells": 7}, {"cells": [{}]}, {"cells": [{"cell_type": "code"}]}, {"metadata": None}, {"nbformat": 40}]
)
def test_what_is_no_notebook_is_told_in_a_line_that_names_the_file(tmp_path, change):
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({**NOTEBOOK, **change}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.ipynb is not a notebook: ") as error:
        files.read(path)
    assert "\n" not in str(error.value)
