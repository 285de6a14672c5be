"""Every page as a real browser shows it, on a desktop and on a phone, in light and in dark.

It works without a network, fits the screen, and axe-core finds nothing serious on it.
"""

from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import DESKTOP, PAGES, PHONE, SITE, Visit, needs_browser, visiting

pytestmark = needs_browser

GRAVE = {"serious", "critical"}
SIZES = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES = ["light", "dark"]
# Not the index, which only leads on to the first page.
VIEWS = [
    pytest.param((page, size, scheme), id=f"{page.relative_to(SITE).as_posix()}-{name}-{scheme}")
    for page in PAGES if page.name != "index.html" for name, size in SIZES.items() for scheme in SCHEMES
]  # fmt: skip
# Colours that are still changing would be read half way.
STILL = "* { transition: none !important; animation: none !important }"
# Where the page itself can be moved sideways, not a part of it that scrolls on its own.
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module", params=VIEWS)
def visit(request, browser):
    page, size, scheme = request.param
    with visiting(browser, page.as_uri(), size, scheme) as visit:
        yield visit


class Violation(NamedTuple):
    """A rule, and every place where it is broken, with what axe says of it."""

    id: str
    places: list[str]


def violations(visit: Visit) -> list[Violation]:
    """What axe finds that is serious."""
    visit.page.add_style_tag(content=STILL)
    found = Axe().run(visit.page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        Violation(each["id"], [f"{node['html']} · {node['failureSummary']}" for node in each["nodes"]])
        for each in found
        if each["impact"] in GRAVE
    ]


def test_asks_no_other_host_and_misses_nothing(visit):
    assert visit.asked
    assert visit.remote == []
    assert visit.faults == []


def test_mathematics_is_drawn_and_there_for_screen_readers(visit):
    formulas = visit.page.locator("article .math").count()
    assert visit.page.locator("article .math mjx-container").count() >= formulas
    assert visit.page.locator("article .math mjx-assistive-mml").count() >= formulas


def test_page_itself_is_not_wider_than_the_screen(visit):
    assert visit.page.evaluate(TOO_WIDE) <= 0


def test_nothing_serious_is_found(visit):
    assert violations(visit) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_with_faults_is_noticed(browser, tmp_path, scheme):
    path = tmp_path / "x.html"
    path.write_text(
        "<!doctype html><html><body><script src='https://cdn.example.org/x.js'></script><img src='missing.png'>"
        "<p style='color:#ddd; width:9999px'>pale <span class='math'>x</span></p></body></html>"
    )
    with visiting(browser, path.as_uri(), PHONE, scheme) as visit:
        assert visit.remote == ["https://cdn.example.org/x.js"]
        assert any("missing.png" in fault for fault in visit.faults)
        assert visit.page.evaluate(TOO_WIDE) > 9000
        assert {"color-contrast", "image-alt", "html-has-lang"} <= {each.id for each in violations(visit)}
