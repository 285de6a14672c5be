import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from stablenets.book import notebooks, outputs
from stablenets.masters.cells import COLAB_TAG, colab_cell

NAME = outputs.Path("chapters/page.ipynb")
URL = "https://example.org/course"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "requirements.txt").write_text("torch==2.13.0\n", encoding="utf-8")
    return tmp_path


def page(code="1 + 1", text="# Title"):
    return new_notebook(cells=[new_markdown_cell(text, id="a"), new_code_cell(code, id="b")])


def executed(**changes):
    notebook = page(**changes)
    notebook.cells[1].outputs = [new_output("stream", text="2\n")]
    return notebook


def test_kept_outputs_are_found_again(root):
    outputs.save(executed(), NAME, root, seconds=1.0)
    assert outputs.load(page(), NAME, root).cells[1].outputs[0].text == "2\n"


def test_new_text_and_metadata_need_no_execution(root):
    outputs.save(executed(), NAME, root, seconds=1.0)
    changed = page(text="# A better title")
    changed.cells[1].metadata["mystnb"] = {"figure": {"caption": "new"}}
    loaded = outputs.load(changed, NAME, root)
    assert loaded.cells[0].source == "# A better title"
    assert loaded.cells[1].metadata.mystnb.figure.caption == "new"
    assert loaded.cells[1].outputs


@pytest.mark.parametrize("change", ["code", "requirements", "package"])
def test_outputs_of_other_code_are_never_shown(root, monkeypatch, change):
    outputs.save(executed(), NAME, root, seconds=1.0)
    if change == "requirements":
        (root / "requirements.txt").write_text("torch==9\n", encoding="utf-8")
    if change == "package":
        monkeypatch.setattr(outputs, "_package_digest", lambda: "another")
    assert outputs.load(page("2 + 2" if change == "code" else "1 + 1"), NAME, root) is None


def test_digest_of_the_package_sees_a_change_in_a_module_that_notebooks_use(tmp_path, monkeypatch):
    digests = []
    for name, body in (("spectra.py", "a"), ("spectra.py", "b"), ("book.py", "c"), ("book/x.py", "c")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True) if not path.parent.is_file() else None
        if name == "book/x.py":
            (tmp_path / "book.py").unlink()
        path.write_text(body, encoding="utf-8")
        monkeypatch.setattr(outputs, "PACKAGE", tmp_path)
        digests.append(outputs._package_digest.__wrapped__())
    assert digests[0] != digests[1]
    assert digests[3] == digests[1]


def test_execution_runs_in_the_folder_and_keeps_the_outputs(root):
    (root / "chapters").mkdir()
    notebooks.write(page("import os; print(os.path.basename(os.getcwd()))"), root / NAME)
    assert outputs.produce(NAME, root) > 0
    kept = outputs.load(nbformat.read(root / NAME, as_version=4), NAME, root)
    assert kept.cells[1].outputs[0].text == "chapters\n"


def test_normal_form_keeps_text_and_drops_pictures_and_traces_of_a_machine():
    notebook = page()
    notebook.metadata = nbformat.from_dict({"kernelspec": {"name": "mine"}, "widgets": {}})
    notebook.cells[1].metadata = nbformat.from_dict({"tags": ["hide-input"], "execution": {"started": "now"}})
    picture = {"image/png": "iVBO", "text/html": "<img>", "text/plain": "<Figure size 1x1 with 1 Axes>"}
    notebook.cells[1].outputs = [new_output("display_data", picture)]
    normal = notebooks.normalize(notebook, URL)
    assert normal.metadata.kernelspec.name == "python3"
    assert list(normal.metadata) == ["kernelspec", "language_info"]
    assert list(normal.cells[1].metadata) == ["tags"]
    assert normal.cells[1].outputs[0].data == {"text/plain": "<Figure size 1x1 with 1 Axes>"}


def test_normal_form_has_the_one_colab_cell():
    notebook = page("# colab")
    notebook.cells[1].metadata["tags"] = [COLAB_TAG]
    assert notebooks.normalize(notebook, URL).cells[1].source == colab_cell(URL)


def test_colab_cell_is_one_line_and_does_nothing_elsewhere():
    ran = []
    shell = type("Shell", (), {"run_line_magic": lambda self, *line: ran.append(line)})
    assert "\n" not in colab_cell(URL)
    exec(colab_cell(URL), {"get_ipython": shell})
    assert ran == []
    shell.__module__ = "google.colab._shell"
    exec(colab_cell(URL), {"get_ipython": shell})
    assert ran == [("pip", f"install -q --no-deps git+{URL}")]


def test_warnings_are_mended_not_committed():
    notebook = page("import warnings; warnings.warn('old')")
    notebook.cells[1].outputs = [new_output("stream", name="stderr", text="UserWarning: old")]
    with pytest.raises(ValueError, match=r"writes to stderr:\nUserWarning: old"):
        notebooks.normalize(notebook, URL)


def test_notebook_that_fails_keeps_nothing(root):
    (root / "chapters").mkdir()
    notebooks.write(page("1 / 0"), root / NAME)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        outputs.produce(NAME, root)
    assert not (root / outputs.STORE / NAME).exists()
