"""A real browser without a window, for tests that look at pages as their readers do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from book_rules import ROOT
from playwright.sync_api import Browser, Page, sync_playwright

from stablenets.book.catalogs import files
from stablenets.book.languages import catalogs, languages
from stablenets.book.system import CHROMIUM

SITE = ROOT / "_build" / "html"
ENGLISH = sorted(
    page for page in SITE.rglob("*.html")
    if "_static" not in page.parts and page.relative_to(SITE).parts[0] not in languages(ROOT)
)  # fmt: skip
# Of the other languages what is translated, and one page that is not: the rest is the English page again.
TRANSLATED = sorted(
    page for language in languages(ROOT) for name in (*files(catalogs(ROOT, language), ".po"), "reference/glossary")
    if (page := SITE / language / f"{name}.html").exists()
)  # fmt: skip
PAGES = ENGLISH + TRANSLATED
needs_browser = pytest.mark.skipif(CHROMIUM.path() is None, reason="no Chromium here: make system")
DESKTOP, PHONE = (1300, 1000), (390, 844)
# Only what hangs meets it: a page takes seconds on a busy machine.
PATIENCE = 120_000  # milliseconds
# What the browser itself would fetch, if it were let.
QUIET = ["--no-sandbox", "--disable-quic", "--no-pings", "--disable-domain-reliability"]


@contextmanager
def launched() -> Iterator[Browser]:
    """The installed browser, for as long as the context lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM.path(), args=QUIET)
        yield browser
        browser.close()


# The theme answers to a new size 300 ms later, by the page's own clock; then the promise is kept.
SETTLED = """() => { window.settled = new Promise(keep => {
    addEventListener('resize', () => setTimeout(keep, 500), {once: true});
}) }"""


def described(size: tuple[int, int]) -> dict[str, int]:
    """A size of the window as the browser wants it."""
    return dict(zip(("width", "height"), size))


class Visit(NamedTuple):
    """A page as the browser shows it, the addresses it has asked for, and what went wrong on the way."""

    page: Page
    asked: list[str]
    faults: list[str]

    @property
    def remote(self) -> list[str]:
        """Those of the addresses that lead to another host."""
        return sorted(url for url in self.asked if urlsplit(url).scheme not in ("file", "data", "blob"))

    def show(self, size: tuple[int, int], scheme: str) -> None:
        """Show the page on another screen, or in other colours, without loading it again."""
        if self.page.viewport_size != described(size):
            self.page.evaluate(SETTLED)
            self.page.set_viewport_size(described(size))
            self.page.evaluate("window.settled")
        self.page.emulate_media(color_scheme=scheme)
        # The theme hears of it a moment later.
        self.page.wait_for_function("s => [undefined, s].includes(document.documentElement.dataset.theme)", arg=scheme)


@contextmanager
def visiting(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Iterator[Visit]:
    """Open an address as a new reader does, and wait until its mathematics is drawn."""
    context = browser.new_context(viewport=described(size), color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    visit = Visit(context.new_page(), [], [])
    visit.page.on("request", lambda request: visit.asked.append(request.url))
    visit.page.on("requestfailed", lambda request: visit.faults.append(f"did not get {request.url}"))
    visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
    visit.page.goto(url)
    visit.page.evaluate("window.MathJax?.startup.promise")
    yield visit
    context.close()
