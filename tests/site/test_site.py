"""The built book, as its readers get it. Run after ``make book``."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from book_rules import PATHS, ROOT, SOLUTIONS, code_cells, name, read
from browser import ENGLISH, PAGES, SITE, needs_browser, visiting
from bs4 import BeautifulSoup

CONTENT = [page for page in PAGES if page.name not in {"genindex.html", "prf-prf.html", "search.html", "index.html"}]
EVERY = pytest.mark.parametrize("page", CONTENT, ids=lambda page: page.relative_to(SITE).as_posix())


@cache
def parse(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(page: Path) -> set[str]:
    return {element["id"] for element in parse(page).find_all(id=True)}


def test_every_page_of_the_table_of_contents_was_built():
    listed = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert {(SITE / f"{page}.html") for page in listed} <= set(PAGES)


@EVERY
def test_internal_links_lead_somewhere(page):
    broken = []
    for link in parse(page).find_all("a", href=True):
        target, fragment = urldefrag(unquote(link["href"]))
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (fragment and file.suffix == ".html" and fragment not in anchors(file)):
            broken.append(link["href"])
    assert broken == []


@EVERY
def test_every_picture_says_what_it_shows(page):
    pictures = parse(page).select("article img")
    assert [picture["src"] for picture in pictures if len(picture.get("alt", "")) < 20] == []


@EVERY
def test_headings_do_not_skip_a_level(page):
    levels = [int(heading.name[1]) for heading in parse(page).select("article :is(h1, h2, h3, h4)")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@EVERY
def test_no_markup_is_left_unrendered(page):
    article = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select_one(
        "article"
    )  # not the one that others read
    for code in article.select("code, pre, .math, script, dt.sig"):
        code.decompose()
    assert re.findall(r":::|\{[a-z:]+\}`|^\([\w-]+\)=$|\*\*", article.get_text(), re.MULTILINE) == []


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_every_figure_and_claim_of_a_notebook_is_on_its_page(path):
    page = parse(SITE / path.relative_to(ROOT).with_suffix(".html"))
    cells = code_cells(path)
    assert len(page.select("article figure :is(img, .slider-figure)")) == sum(
        "<Figure" in str(cell.outputs) for cell in cells
    )
    assert len(page.select("article div.claim")) == sum(" (expected: " in str(cell.outputs) for cell in cells)


def test_page_of_claims_lists_them_all_with_measured_values():
    rows = parse(SITE / "reference/claims.html").select("article table tbody tr")
    claims = [box for page in ENGLISH for box in parse(page).select("article div.claim")]
    assert len(rows) == len(claims) > 0
    assert all(cell.get_text(strip=True) for row in rows for cell in row.find_all("td"))


def test_folded_answers_are_closed_until_asked_for():
    for path in PATHS:
        page = parse(SITE / path.relative_to(ROOT).with_suffix(".html"))
        assert not page.select("article details[open]")


@EVERY
def test_every_fold_is_named_by_words_of_its_own(page):
    names = [fold.get("aria-label") or fold.get_text(" ", strip=True) for fold in parse(page).find_all("summary")]
    assert all(names)
    assert "Toggle hidden content" not in names


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_marks_that_are_for_student_notebooks_are_not_shown(path):
    page = SITE / "solutions" / f"{path.stem}.html"
    assert "SOLUTION" in path.read_text(encoding="utf-8")
    assert "SOLUTION" not in page.read_text(encoding="utf-8")


def test_claims_of_each_page_stand_below_a_heading_that_a_link_leads_to():
    page = parse(SITE / "reference/claims.html")
    titles = {heading["id"] for heading in page.select("article h2[id]")}
    assert len(titles) == len(page.select("article table"))
    assert titles == {link["href"][1:] for link in page.select("article li a[href^='#claims-of']")}


@needs_browser
def test_printed_exercises_are_a_worksheet_without_answers_and_empty_folds(browser):
    with visiting(browser, (SITE / "solutions" / "initialization.html").as_uri()) as visit:
        visit.page.emulate_media(media="print")
        hidden = ".role-answer, .role-check, .role-wrong, details"
        assert visit.page.locator(f"article :is({hidden})").count() > 30
        assert visit.page.locator(f"article :is({hidden})").locator("visible=true").count() == 0
        assert visit.page.locator("article h2").locator("visible=true").count() > 5


def test_every_public_module_is_in_the_reference():
    described = set(
        re.findall(r"automodule:: stablenets\.([\w.]+)", (ROOT / "reference/api.md").read_text(encoding="utf-8"))
    )
    package = ROOT / "src" / "stablenets"
    modules = {path.relative_to(package) for path in [*package.glob("*"), *(package / "shift").glob("*")]}
    public = {
        ".".join(path.with_suffix("").parts) for path in modules if path.name[0] not in "_." and path.name != "shift"
    }
    assert public - {"book", "grading", "masters", "phrases"} <= described


def test_functions_of_the_reference_lead_to_the_chapters_that_use_them():
    entry = parse(SITE / "reference/api.html").find(id="stablenets.optim.LARS").find_parent("dl")
    assert entry.find("a", href="../chapters/lars.html")
    page = parse(SITE / "reference/api.html").select_one("article").get_text()
    assert "Alias for field number" not in page


def test_times_of_all_notebooks_are_told():
    rows = [row.get_text() for row in parse(SITE / "reference/benchmarks.html").find("table").select("tbody tr")]
    assert len(rows) == len(PATHS) + 1


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_page_of_exercises_leads_to_the_notebook_without_solutions(path):
    page = parse(SITE / "solutions" / f"{path.stem}.html")
    assert [link["href"] for link in page.find_all("a", href=True) if "blob/main/solutions" in link["href"]] == []
    assert page.select_one(f".student-notebook a[href$='blob/student/{path.stem}.ipynb']")
    copy = SITE / "solutions" / page.select_one(".student-notebook a[download]")["href"]
    assert "check(" in copy.read_text(encoding="utf-8")
    assert "### BEGIN SOLUTION" not in copy.read_text(encoding="utf-8")
    masters = {cell.source for cell in code_cells(path) if cell.metadata.get("stablenets", {}).get("role") == "answer"}
    assert masters
    assert masters.isdisjoint(cell.source for cell in read(copy).cells)
