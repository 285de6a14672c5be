"""The book in other languages: nothing is stale, every page has its counterpart, all that is said can be translated."""

import csv
import json
import re
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from book_rules import ROOT
from browser import ENGLISH, SITE
from bs4 import BeautifulSoup, NavigableString

from stablenets.book.catalogs import faults, files, templates
from stablenets.book.languages import COMMON, DOMAIN, SAID, UNTRANSLATED, catalogs, in_words, languages, read
from stablenets.book.outputs import kept
from stablenets.checks.exercise import EXERCISES
from stablenets.claims import MIME_TYPE, Claim
from stablenets.phrases import GAP, GAPS, NUMBERED, Phrases

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
STRAIGHT = str.maketrans("‘’", "''")
SILENT = "pre, code, script, style, svg, .math, .highlight, .languages"


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    return templates(ROOT, tmp_path_factory.mktemp("gettext") / "out")


@pytest.fixture(scope="module")
def known(wanted):
    return letters(" ".join(str(message.id) for catalog in wanted.values() for message in catalog if message.id))


@cache
def article(page):
    return BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser").find("article")


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


def pages_in(language):
    """The pages that a language has."""
    names = files(catalogs(ROOT, language), ".po")
    return [name for name in names if name != DOMAIN and not name.startswith(f"{SAID}/")]


def scripts(text):
    """The scripts of the letters in a text, such as CJK and LATIN."""
    return {unicodedata.name(letter, "NONE").split()[0] for letter in text if letter.isalpha()}


def untranslated(texts, english, language):
    """Those of the texts without a letter of the language's script; if that is Latin, those that English has too."""
    own = scripts(Locale.parse(language).get_language_name()) - {"LATIN"}
    own |= {"HIRAGANA", "KATAKANA"} if "CJK" in own else set()
    return [text for text in texts if not (own & scripts(text) if own else text not in english)]


@cache
def terms(language):
    """English terms with what may stand for each of them, the longest first."""
    with (ROOT / "locale" / language / "terminology.csv").open(encoding="utf-8") as file:
        table = {row["english"]: row["translation"].casefold().split("|") for row in csv.DictReader(file)}
    return sorted(table.items(), key=lambda term: -len(term[0]))


def claims_of(page):
    """The claims that the notebook of a page has made, as the book has them."""
    name = Path(f"{page}.ipynb")
    cells = kept(name, ROOT).cells if (ROOT / name).exists() else []
    outputs = [output.get("data", {}) for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return [Claim.of(data[MIME_TYPE]) for data in outputs if MIME_TYPE in data]


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


def test_what_checks_and_sliders_say_can_be_translated(wanted):
    lines, unknown = 0, []
    for page in PAGES:
        catalogs_of_page = [wanted.get(f"{SAID}/{name}", Catalog()) for name in (COMMON, Path(page).stem)]
        messages = [message.id for catalog in catalogs_of_page for message in catalog if message.id]
        phrases = Phrases({message: f"«{GAP * len(GAPS.findall(message))}»" for message in messages})
        lines += len(said_by_code(page))
        unknown += [line for line in said_by_code(page) if phrases.translate(line) == line]
    assert lines > 500
    assert unknown == []


@EVERY
def test_translations_have_the_gaps_of_their_sentences(language, name, path):
    if name.startswith(f"{SAID}/") or name == DOMAIN:
        for message in read(path):
            gaps = NUMBERED.findall(message.string)
            assert sorted(gaps) in ([""] * len(gaps), [str(i) for i in range(len(gaps))]), message.id
            assert len(gaps) == len(GAPS.findall(message.id)), message.id


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_switch_leads_to_the_same_page_and_back(language, page):
    tag = language.replace("_", "-")
    link = article(page).select_one(f".languages a[hreflang={tag}]")
    there = (SITE / page).parent / link["href"]
    assert there.resolve() == (SITE / language / page).resolve()
    other = BeautifulSoup(there.read_text(encoding="utf-8"), "html.parser")
    assert other.html["lang"] == tag
    back = other.select_one(".languages a[hreflang=en]")["href"]
    assert (there.parent / back).resolve() == (SITE / page).resolve()
    translated = (catalogs(ROOT, language) / page).with_suffix(".po").exists()
    warning = in_words(ROOT, language)(UNTRANSLATED).replace(GAP, "")
    assert (warning in link.text) == (not translated)
    assert bool(other.select(".untranslated")) == bool(other.select("article div[lang=en]")) == (not translated)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translated_pages_speak_their_language_but_for_code_and_numbers(language):
    for name in pages_in(language):
        here, there = f"{language}/{name}.html", f"{name}.html"
        texts, lines = said(here), said_by_code(here)
        assert len(texts) > 10
        assert len(lines) == len(said_by_code(there))
        assert untranslated(latin(texts) + lines, {*said(there), *said_by_code(there)}, language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translated_pages_tell_claims_and_exercises_in_their_language(language):
    translate = in_words(ROOT, language)
    for name in pages_in(language):
        boxes = article(f"{language}/{name}.html").select(".claim p:not(.claim-statement)")
        numbers = [claim.numbers(translate) for claim in claims_of(name)]
        assert [box.text[: len(told)] for box, told in zip(boxes, numbers, strict=True)] == numbers
        # The page has typographic quotes, and the order that its notebook states.
        facts = [each.text.translate(STRAIGHT) for each in article(f"{language}/{name}.html").select(".exercise-facts")]
        exercises = [each for each in EXERCISES.values() if name == f"solutions/{each.chapter}"]
        assert sorted(facts) == sorted(each.summary(translate) for each in exercises)


@pytest.mark.parametrize(
    ("language", "translated", "english"),
    [
        ("zh_CN", "σ_w 的 He initialization 与 ReLU", "the gain of ReLU"),
        ("ja", "これは ReLU です", "the gain of ReLU"),
        ("ru", "коэффициент ReLU", "the gain of ReLU"),
        ("fr", "le gain de ReLU", "the gain of ReLU"),
        ("pt_BR", "o ganho da ReLU", "the gain of ReLU"),
    ],
)
def test_english_text_is_told_from_that_of_any_language(language, translated, english):
    assert untranslated([translated, english], {english}, language) == [english]


@EVERY
def test_terms_are_those_of_the_table(language, name, path):
    for message in read(path):
        text = re.sub(r"(\{\S+\})?`[^`]*`", "", str(message.id))
        for english, translations in terms(language):
            text, count = re.subn(rf"\b{english}s?\b", "", text, flags=re.IGNORECASE)
            said_so = any(translation in str(message.string).casefold() for translation in translations)
            assert not count or said_so, (english, message.id)
