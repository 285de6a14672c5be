"""A real browser without a window, for tests that look at pages as their readers do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from book_rules import ROOT
from playwright.sync_api import Browser, Page, sync_playwright

from stablenets.book.catalogs import files
from stablenets.book.languages import catalogs, languages

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
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
DESKTOP, PHONE = (1300, 1000), (390, 844)
# What the browser itself would fetch, if it were let.
QUIET = ["--no-sandbox", "--disable-quic", "--no-pings", "--disable-domain-reliability"]


@contextmanager
def launched() -> Iterator[Browser]:
    """The installed browser, for as long as the context lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Visit(NamedTuple):
    """A page as the browser shows it, the addresses it has asked for, and what went wrong on the way."""

    page: Page
    asked: list[str]
    faults: list[str]

    @property
    def remote(self) -> list[str]:
        """Those of the addresses that lead to another host."""
        return sorted(url for url in self.asked if urlsplit(url).scheme not in ("file", "data", "blob"))


@contextmanager
def visiting(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Iterator[Visit]:
    """Open an address as a new reader does, and wait until its mathematics is drawn."""
    context = browser.new_context(viewport=dict(zip(("width", "height"), size)), color_scheme=scheme)
    visit = Visit(context.new_page(), [], [])
    visit.page.on("request", lambda request: visit.asked.append(request.url))
    visit.page.on("requestfailed", lambda request: visit.faults.append(f"did not get {request.url}"))
    visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
    visit.page.goto(url)
    visit.page.evaluate("window.MathJax?.startup.promise")
    yield visit
    context.close()
