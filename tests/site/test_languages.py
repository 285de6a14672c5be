"""The book in other languages: nothing is stale, every page has its counterpart, all that is said can be translated."""

import csv
import json
import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog
from book_rules import ROOT
from browser import ENGLISH, SITE
from bs4 import BeautifulSoup, NavigableString

from stablenets.book.catalogs import faults, files, templates
from stablenets.book.languages import DOMAIN, SAID, catalogs, languages, read
from stablenets.book.sentences import GAP, NUMBERED, Phrases

LANGUAGES = languages(ROOT)
CATALOGS = [(language, *item) for language in LANGUAGES for item in files(catalogs(ROOT, language), ".po").items()]
# Not those that Sphinx itself makes.
MADE = ("index.html", "search.html", "genindex.html", "prf-prf.html")
PAGES = [page.relative_to(SITE).as_posix() for page in ENGLISH if page.name not in MADE]
EVERY = pytest.mark.parametrize(
    ("language", "name", "path"), CATALOGS, ids=[f"{one}-{name}" for one, name, _ in CATALOGS]
)
# Names and numbers: signatures and entries of the literature are the same in every language.
NAMES = ("reference/api.html", "reference/references.html", "reference/claims.html")
# Numbers of this build, with words that are translated one by one; what sliders tell, which is looked at apart; and
# titles of other pages, which may not be translated yet.
COMPUTED = ".claim p, .exercise-facts, output, label, .citation-reference, .bibtex-citation, a.reference"
SILENT = "pre, code, script, style, svg, .math, .highlight, .languages"


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    return templates(ROOT, tmp_path_factory.mktemp("gettext") / "out")


@pytest.fixture(scope="module")
def phrases(wanted):
    messages = [message.id for name, catalog in wanted.items() if name.startswith(f"{SAID}/") for message in catalog]
    return Phrases({message: f"«{GAP * message.count(GAP)}»" for message in messages if message})


@pytest.fixture(scope="module")
def known(wanted):
    return letters(" ".join(str(message.id) for catalog in wanted.values() for message in catalog if message.id))


@cache
def article(page):
    return BeautifulSoup((SITE / page).read_text(), "html.parser").find("article")


def letters(text):
    return re.sub(r"[^a-z]+", "", text.lower())


def said(page):
    """The texts of a page, without code, mathematics and what was computed."""
    content = BeautifulSoup(str(article(page)), "html.parser")
    for part in content.select(f"{SILENT}, {COMPUTED}"):
        part.extract()
    texts = [str(text) for text in content.find_all(string=True) if type(text) is NavigableString]
    texts += [picture["alt"] for picture in content.find_all("img", alt=True)]
    return [text.strip() for text in texts if text.strip()]


def said_by_code(page):
    """The lines in which checks judge, and what the sliders of a page say at every position."""
    outputs = article(page).select("div.cell_output pre")
    lines = [line for output in outputs for line in output.text.splitlines() if re.match(r"\s*[✓✗] ", line)]
    for figure in article(page).select(".slider-figure"):
        lines += [figure.label.text.strip(), figure.output.text, *json.loads(figure["data-told"])]
    return lines


def latin(texts):
    """Those of the texts that say something in Latin letters."""
    return [text for text in texts if len(re.findall(r"[A-Za-z]{2,}", text)) >= 3]


@EVERY
def test_no_translation_is_stale(wanted, language, name, path):
    assert faults(read(path), wanted[name]) == []


def test_stale_and_missing_translations_are_noticed():
    kept, template = Catalog(), Catalog()
    kept.add("old", "alt")
    kept.add("empty")
    template.add("new")
    template.add("empty")
    assert sorted(faults(kept, template)) == ["no longer there: old", "not translated: empty", "not translated: new"]


@pytest.mark.parametrize("page", [page for page in PAGES if page not in NAMES])
def test_all_that_a_page_says_can_be_translated(known, page):
    texts = latin(said(page))
    assert len(texts) > 3
    assert [text for text in texts if letters(text) not in known] == []


def test_what_checks_and_sliders_say_can_be_translated(phrases):
    lines = [line for page in PAGES for line in said_by_code(page)]
    assert len(lines) > 500
    assert [line for line in lines if phrases.translate(line) == line] == []


@EVERY
def test_translations_have_the_gaps_of_their_sentences(language, name, path):
    if name.startswith(f"{SAID}/"):
        for message in read(path):
            gaps = NUMBERED.findall(message.string)
            assert sorted(gaps) in ([""] * len(gaps), [str(i) for i in range(len(gaps))]), message.id
            assert len(gaps) == message.id.count(GAP), message.id


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_switch_leads_to_the_same_page_and_back(language, page):
    tag = language.replace("_", "-")
    link = article(page).select_one(f".languages a[hreflang={tag}]")
    there = (SITE / page).parent / link["href"]
    assert there.resolve() == (SITE / language / page).resolve()
    other = BeautifulSoup(there.read_text(), "html.parser")
    assert other.html["lang"] == tag
    back = other.select_one(".languages a[hreflang=en]")["href"]
    assert (there.parent / back).resolve() == (SITE / page).resolve()
    translated = (catalogs(ROOT, language) / page).with_suffix(".po").exists()
    assert ("未翻译" in link.text) == (not translated)
    assert bool(other.select(".untranslated")) == bool(other.select("article div[lang=en]")) == (not translated)


def test_translated_pages_are_chinese_but_for_code_and_numbers():
    names = [name for name in files(catalogs(ROOT, "zh_CN"), ".po") if name != DOMAIN and not name.startswith(SAID)]
    texts = [text for name in names for text in said(f"zh_CN/{name}.html")]
    lines = [line for name in names for line in said_by_code(f"zh_CN/{name}.html")]
    assert len(texts) > 50
    assert len(lines) > 50
    assert [text for text in latin(texts) + lines if not re.search(r"[\u4e00-\u9fff]", text)] == []


@EVERY
def test_terms_are_those_of_the_table(language, name, path):
    with (ROOT / "locale" / language / "terminology.csv").open(encoding="utf-8") as file:
        terms = [(row["english"], row["chinese"]) for row in csv.DictReader(file)]
    longest_first = sorted(terms, key=lambda term: -len(term[0]))
    for message in read(path):
        text = re.sub(r"(\{\S+\})?`[^`]*`", "", str(message.id))
        for english, chinese in longest_first:
            text, count = re.subn(rf"\b{english}s?\b", "", text, flags=re.IGNORECASE)
            assert not count or chinese in str(message.string), (english, message.id)
