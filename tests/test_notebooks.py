"""The rules that every notebook of the book keeps."""

import ast
import re
import statistics

import pytest
import yaml
from book_rules import CHAPTERS, PATHS, ROOT, code_cells, code_numbers, name, prose_numbers, read, sections

from stablenets.book import notebooks
from stablenets.masters.cells import COLAB_TAG, colab_cell, is_for_colab

EVERY = pytest.mark.parametrize("path", PATHS, ids=name)
CHAPTER = pytest.mark.parametrize("path", CHAPTERS, ids=name)
RANDOM = {
    "kaiming_normal_",
    "kaiming_uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "trunc_normal_",
    "rand",
    "randn",
    "randint",
    "randperm",
    "normal",
    "bernoulli",
    "multinomial",
    "normal_",
    "uniform_",
    "orthogonal_",
}


def calls(cell) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def shows(call: ast.Call) -> bool:
    return called(call) == "claim" or ast.unparse(call.func).startswith("plots.")


@EVERY
def test_is_committed_in_normal_form(path):
    """No pictures, no machine's metadata, and the one Colab cell that follows from the public address."""
    notebook = read(path)
    assert notebook == notebooks.normalize(notebook, notebooks.repository_url(ROOT))


@EVERY
def test_was_executed_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in read(path).cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@EVERY
def test_opens_with_title_then_the_colab_cell_then_imports(path):
    title, colab, imports = read(path).cells[:3]
    assert title.cell_type == "markdown"
    assert re.search(r"^# ", title.source, re.MULTILINE)
    assert colab.metadata.tags == [COLAB_TAG]
    assert all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(imports.source).body)
    assert len(imports.source.splitlines()) <= 8


@EVERY
def test_only_one_cell_is_for_colab(path):
    tagged = [cell for cell in read(path).cells if is_for_colab(cell)]
    assert len(tagged) == 1


@CHAPTER
def test_says_what_the_reader_will_be_able_to_do_needs_and_how_long_it_takes(path):
    opening = read(path).cells[0].source
    assert "After this page" in opening
    assert "Prerequisites" in opening
    assert re.search(r"\d+ minutes", opening)


@CHAPTER
def test_ends_with_what_the_reader_can_do_now_and_leads_to_the_exercises(path):
    last = read(path).cells[-1].source
    assert re.findall(r"^## .*", last, re.MULTILINE)[-1] == "## What you can do now"
    assert f"{{ref}}`exercises-{path.stem}`" in last


@EVERY
def test_code_cells_are_short(path):
    """In a chapter most cells are bites; a solution is one whole function with its docstring."""
    lengths = [len(cell.source.splitlines()) for cell in code_cells(path)]
    longest, median = (15, 6) if path in CHAPTERS else (25, 10)
    assert max(lengths) <= longest
    assert statistics.median(lengths) <= median


@EVERY
def test_every_figure_has_a_name_a_caption_and_a_text_that_says_what_it_shows(path):
    for cell in code_cells(path):
        if "<Figure" in str(cell.outputs):
            described = cell.metadata["mystnb"]
            assert described["figure"]["name"].startswith("fig-"), cell.source
            assert len(described["figure"]["caption"]) >= 20, cell.source
            assert len(described["image"]["alt"]) >= 60, cell.source


@EVERY
def test_shows_one_figure_or_one_claim_a_cell_and_it_is_the_last_line(path):
    for cell in code_cells(path):
        tree = ast.parse(cell.source)
        shown = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and shows(node)]
        assert len(shown) <= 1, cell.source
        assert not shown or getattr(tree.body[-1], "value", None) is shown[0], cell.source


@EVERY
def test_every_number_in_prose_stands_in_the_code_of_its_section(path):
    missing = {}
    for heading, text, code in sections(path)[1:]:
        known = code_numbers(re.sub(r"^if \"google.colab.*$", "", code, flags=re.MULTILINE))
        unknown = {n for n in prose_numbers(text) if n not in known and n / 100 not in known}
        missing |= {heading: unknown} if unknown else {}
    assert missing == {}


@EVERY
def test_randomness_of_torch_has_an_explicit_generator(path):
    for cell in code_cells(path):
        for call in calls(cell):
            of_torch = ast.unparse(call.func).startswith(("torch.", "nn.")) or called(call).endswith("_")
            if of_torch and called(call) in RANDOM:
                assert "generator" in {keyword.arg for keyword in call.keywords}, ast.unparse(call)


@EVERY
def test_draws_only_through_the_package(path):
    assert not any("matplotlib" in cell.source for cell in code_cells(path))


def test_table_of_contents_and_files_are_the_same():
    listed = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    pages = {path.relative_to(ROOT).with_suffix("").as_posix() for path in PATHS}
    pages |= {"intro"} | {f"reference/{path.stem}" for path in (ROOT / "reference").glob("*.md")}
    assert sorted(listed) == sorted(pages)


def test_ids_are_unique_in_the_whole_book():
    cells = [cell for path in PATHS for cell in read(path).cells]
    texts = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    figures = [c.metadata.get("mystnb", {}).get("figure", {}).get("name") for c in cells]
    labels = re.findall(r"^\(([\w-]+)\)=|^:label: (\S+)|^\$\$ \(([\w-]+)\)", texts, re.MULTILINE)
    ids = [figure for figure in figures if figure] + ["".join(label) for label in labels]
    assert len(ids) == len(set(ids)), sorted(label for label in ids if ids.count(label) > 1)


@EVERY
def test_cell_ids_are_unique(path):
    ids = [cell.id for cell in read(path).cells]
    assert len(ids) == len(set(ids))


def test_the_public_address_is_one_setting():
    url = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    assert notebooks.repository_url(ROOT) == url
    assert url in colab_cell(url)


@pytest.mark.parametrize(
    ("markdown", "numbers"),
    [
        ("After 30 layers, 8.4 % of $10^3$ units in `layer5` ({cite:t}`he2015`) are left.", {30, 8.4}),
        ("float32 keeps 1,437 digits; −0.5 too, and 1e-3.", {1437, 0.5, 1e-3}),
        ("ResNet-50 of You et al. (2017, eq. 6) at 10-20 layers", {10, 20}),
        (":label: thm-2\n(eq-3)=\n[page](a.md#x4)", set()),
    ],
)
def test_reader_of_prose_numbers_sees_what_a_reader_sees(markdown, numbers):
    assert prose_numbers(markdown) == numbers
