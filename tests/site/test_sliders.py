"""Figures with a slider: small, told in words at every position, and moved by the keys of a real browser."""

import gzip
import json

import pytest
from browser import SITE, needs_browser, visiting
from bs4 import BeautifulSoup

PAGES = [
    page
    for page in sorted((SITE / "chapters").glob("*.html"))
    if 'class="slider-figure"' in page.read_text(encoding="utf-8")
]
LARGEST = 100_000  # bytes, compressed
FIGURE = ".slider-figure"


def sliders(document):
    return BeautifulSoup(document, "html.parser").select(FIGURE)


def test_six_ideas_can_be_moved():
    assert sum(len(sliders(page.read_text(encoding="utf-8"))) for page in PAGES) >= 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sliders_are_small_labelled_and_told_at_every_position(page):
    for figure in sliders(page.read_text(encoding="utf-8")):
        assert len(gzip.compress(str(figure).encode())) <= LARGEST
        slider, told = figure.input, json.loads(figure["data-told"])
        assert slider["type"] == "range"
        assert slider.parent.name == "label"
        assert slider.parent.text.strip()
        assert int(slider["max"]) + 1 == len(told) == len(set(told))
        assert all(len(sentence) >= 30 for sentence in told)
        assert figure.svg["role"] == "img"
        assert len(figure.svg["aria-description"]) >= 60
        assert figure.svg["aria-label"] == figure.output.text == told[int(slider["value"])]


@needs_browser
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_keys_lead_to_every_position_which_is_shown_and_told(browser, page):
    with visiting(browser, page.as_uri()) as visit:
        for figure in visit.page.locator(FIGURE).all():
            told = json.loads(figure.get_attribute("data-told"))
            slider = figure.locator("input")
            slider.press("Home")
            for position, sentence in enumerate(told):
                shown = figure.locator("[data-position]:visible").all()
                assert {group.get_attribute("data-position") for group in shown} == {str(position)}
                assert figure.locator("output").text_content() == sentence
                assert figure.locator("svg").get_attribute("aria-label") == sentence
                assert slider.get_attribute("aria-valuetext") == sentence
                slider.press("ArrowRight")
