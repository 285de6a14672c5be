"""A real browser without a window, for tests that look at pages as their readers do."""

import json
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest
from book_rules import ROOT

from stablenets.book.catalogs import files
from stablenets.book.languages import catalogs, languages

SITE = ROOT / "_build" / "html"
ENGLISH = sorted(
    page for page in SITE.rglob("*.html")
    if "_static" not in page.parts and page.relative_to(SITE).parts[0] not in languages(ROOT)
)  # fmt: skip
# Of the other languages what is translated, and one page that is not: the rest is the English page again.
TRANSLATED = sorted(
    page for language in languages(ROOT) for name in (*files(catalogs(ROOT, language), ".po"), "glossary")
    if (page := SITE / language / f"{name}.html").exists()
)  # fmt: skip
PAGES = ENGLISH + TRANSLATED
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
DESKTOP, PHONE = "1300,1000", "390,844"
# What the browser itself would fetch, if it were let.
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync", "--no-pings",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--hide-scrollbars",
    "--disable-domain-reliability", "--disable-extensions", "--disable-features=OptimizationHints,MediaRouter",
]  # fmt: skip
# What it asks for on its own account has no origin.
BROWSER = "not an origin"


def opened(tmp_path, page, size):
    """Open a page and return what the browser then has as HTML, and the addresses that the page asked for."""
    log = tmp_path / "net.json"
    document = dumped(tmp_path, page.as_uri(), size, f"--log-net-log={log}")
    requests = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    return document, {r["url"] for r in requests if r.get("initiator", BROWSER) != BROWSER and "url" in r}


def dumped(tmp_path, url, size, *options):
    """Open an address and return what the browser then has as HTML."""
    own = [f"--user-data-dir={tmp_path}", f"--window-size={size}", "--virtual-time-budget=8000", *options]
    command = [CHROMIUM, *QUIET, *own, "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout


def opened_with(tmp_path, page, script, size):
    """Open a copy of a page that ends with more scripts, beside the page, so that its links lead where they did."""
    copy = page.with_name(f"{page.stem}-{tmp_path.name}.html")
    copy.write_text(page.read_text().replace("</body>", f"{script}</body>"))
    try:
        return opened(tmp_path, copy, size)
    finally:
        copy.unlink()


def remote(asked):
    """Those of the addresses that lead to another host."""
    return sorted(url for url in asked if urlsplit(url).scheme not in ("file", "data", "blob"))
