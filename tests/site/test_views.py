"""Every page as a real browser shows it, on a desktop and on a phone, in light and in dark.

It works without a network, fits the screen, and axe-core finds nothing serious on it. A page is loaded once, and then
shown on each screen and in each scheme; what a page asks for and what goes wrong is gathered all the while.
"""

from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import DESKTOP, PAGES, PHONE, SITE, Visit, needs_browser, visiting

pytestmark = needs_browser

GRAVE = {"serious", "critical"}
SIZES = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES = ["light", "dark"]
VIEWS = [pytest.param(size, scheme, id=f"{name}-{scheme}") for name, size in SIZES.items() for scheme in SCHEMES]
NAMES = {page: page.relative_to(SITE).as_posix() for page in PAGES}
# Not the index, which only leads on to the first page. A page is loaded by one worker.
EVERY = [
    pytest.param(page, id=name, marks=pytest.mark.xdist_group(name))
    for page, name in NAMES.items() if page.name != "index.html"
]  # fmt: skip
# Colours that are still changing would be read half way.
STILL = "* { transition: none !important; animation: none !important }"
# Where the page itself can be moved sideways, not a part of it that scrolls on its own.
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# The only rules of axe that read colours. Letters of one colour, size and weight have one contrast on the same grounds:
# one element of each look is asked, and no look a second time, on whatever page.
COLOURS = ["color-contrast", "link-in-text-block"]
SOUND: set[str] = set()
MARK_LOOKS = """sound => {
    const looks = new Set(sound), grounds = new Map(), fresh = [];
    const ground = e => {
        if (!e) return '';
        if (!grounds.has(e)) {
            const s = getComputedStyle(e), own = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter];
            grounds.set(e, (own[0] === 'rgba(0, 0, 0, 0)' && own[1] === 'none' && own[2] === '1' ? '' : own.join())
                + ground(e.parentElement));
        }
        return grounds.get(e);
    };
    document.querySelectorAll('[data-look]').forEach(e => e.removeAttribute('data-look'));
    for (const e of document.body.querySelectorAll('*')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) continue;
        const s = getComputedStyle(e), inside = e.parentElement && getComputedStyle(e.parentElement).color;
        const letters = [s.color, s.fontSize, s.fontWeight, s.textDecorationLine, s.textShadow];
        const look = [e.tagName, ...letters, inside, ground(e)].join('|');
        if (!looks.has(look)) { looks.add(look); fresh.push(look); e.setAttribute('data-look', ''); }
    }
    return fresh;
}"""


@pytest.fixture(scope="module", params=EVERY)
def visit(request, browser):
    with visiting(browser, request.param.as_uri()) as visit:
        visit.page.add_style_tag(content=STILL)
        visit.page.evaluate(Axe().axe_script)
        yield visit


class Violation(NamedTuple):
    """A rule, and every place where it is broken, with what axe says of it."""

    id: str
    places: list[str]


def violations(visit: Visit, scheme: str) -> list[Violation]:
    """What axe finds that is serious. In the dark only colours differ, so only the rules on colours are asked again."""
    # Without its own request for the style sheets, which a page from the disk is not given.
    usual = {"resultTypes": ["violations"], "preload": False}
    found = []
    if scheme == "light":
        found += asked(visit, "document", usual | {"rules": {rule: {"enabled": False} for rule in COLOURS}})
    looks = visit.page.evaluate(MARK_LOOKS, sorted(SOUND))
    if looks:
        pale = asked(visit, "{include: ['[data-look]']}", usual | {"runOnly": COLOURS})
        SOUND.update([] if pale else looks)
        found += pale
    return found


def asked(visit: Visit, where: str, options: dict) -> list[Violation]:
    """Ask axe about a part of the page."""
    found = visit.page.evaluate(f"options => axe.run({where}, options)", options)["violations"]
    return [
        Violation(each["id"], [f"{node['html']} · {node['failureSummary']}" for node in each["nodes"]])
        for each in found
        if each["impact"] in GRAVE
    ]


def test_mathematics_is_drawn_and_there_for_screen_readers(visit):
    formulas = visit.page.locator("article .math").count()
    assert visit.page.locator("article .math mjx-container").count() >= formulas
    assert visit.page.locator("article .math mjx-assistive-mml").count() >= formulas


@pytest.mark.parametrize(("size", "scheme"), VIEWS)
def test_page_fits_the_screen_and_nothing_serious_is_found(visit, size, scheme):
    visit.show(size, scheme)
    assert visit.page.evaluate("document.documentElement.dataset.theme") == scheme
    assert visit.page.evaluate(TOO_WIDE) <= 0
    assert violations(visit, scheme) == []


def test_asks_no_other_host_and_misses_nothing(visit):
    assert visit.asked
    assert visit.remote == []
    assert visit.faults == []


PAGE_WITH_FAULTS = """<!doctype html><html><head><style>
    p { color: #222; background: white }
    @media (prefers-color-scheme: dark) { p.night { color: #333; background: #222 } }
    @media (max-width: 500px) { p.narrow { width: 9999px } }
</style></head><body><script src='https://cdn.example.org/x.js'></script><img src='missing.png'>
<p>as dark as the others</p><p class='night'>pale at night</p><p class='narrow'>wide on a phone</p>
<p style='color: #ddd'>pale <span class='math'>x</span></p></body></html>"""


def test_page_with_faults_is_noticed(browser, tmp_path):
    SOUND.clear()
    path = tmp_path / "x.html"
    path.write_text(PAGE_WITH_FAULTS, encoding="utf-8")
    with visiting(browser, path.as_uri()) as visit:
        visit.page.evaluate(Axe().axe_script)
        assert visit.remote == ["https://cdn.example.org/x.js"]
        assert any("missing.png" in fault for fault in visit.faults)
        pale = {}
        for size in SIZES.values():
            for scheme in SCHEMES:
                visit.show(size, scheme)
                found = {each.id: each.places for each in violations(visit, scheme)}
                assert (visit.page.evaluate(TOO_WIDE) > 9000) == (size == PHONE)
                assert ({"image-alt", "html-has-lang"} <= found.keys()) == (scheme == "light")
                pale[scheme] = " ".join(found["color-contrast"])
        assert all(">pale " in places and "as dark" not in places for places in pale.values())
        assert "pale at night" in pale["dark"]
        assert "pale at night" not in pale["light"]
