"""Figures with a slider: small, told in words at every position, and moved by a real browser."""

import gzip
import json

import pytest
from browser import DESKTOP, SITE, needs_browser, opened_with
from bs4 import BeautifulSoup

PAGES = [page for page in sorted((SITE / "chapters").glob("*.html")) if 'class="slider-figure"' in page.read_text()]
LARGEST = 100_000  # bytes, compressed
# What the arrow keys do: the browser moves the slider itself and tells of it.
PUSH = """<script>
for (const slider of document.querySelectorAll(".slider-figure input")) {
  slider.value = slider.max;
  slider.dispatchEvent(new Event("input", {bubbles: true}));
}
</script>"""


def sliders(document):
    return BeautifulSoup(document, "html.parser").select(".slider-figure")


def shown(figure):
    return {
        group["data-position"] for group in figure.select("[data-position]") if "none" not in group.get("style", "")
    }


def test_six_ideas_can_be_moved():
    assert sum(len(sliders(page.read_text())) for page in PAGES) >= 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sliders_are_small_labelled_and_told_at_every_position(page):
    for figure in sliders(page.read_text()):
        assert len(gzip.compress(str(figure).encode())) <= LARGEST
        slider, told = figure.input, json.loads(figure["data-told"])
        assert slider["type"] == "range", "the arrow keys move it"
        assert slider.parent.name == "label"
        assert slider.parent.text.strip()
        assert int(slider["max"]) + 1 == len(told) == len(set(told))
        assert all(len(sentence) >= 30 for sentence in told)
        assert figure.svg["role"] == "img"
        assert figure.svg["aria-label"] == figure.output.text == told[int(slider["value"])]


@needs_browser
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_moved_slider_shows_its_position_and_says_so(tmp_path, page):
    document, _ = opened_with(tmp_path, page, PUSH, DESKTOP)
    for figure in sliders(document):
        told = json.loads(figure["data-told"])
        assert shown(figure) == {figure.input["max"]}
        assert figure.output.text == figure.svg["aria-label"] == figure.input["aria-valuetext"] == told[-1]
