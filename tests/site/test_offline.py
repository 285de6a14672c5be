"""Every page works without a network: a real browser opens it and asks no other host for anything."""

import json
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest
from book_rules import ROOT

SITE = ROOT / "_build" / "html"
PAGES = sorted(page for page in SITE.rglob("*.html") if "_static" not in page.parts)
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
pytestmark = needs_browser
DESKTOP, PHONE = "1300,1000", "390,844"
# What the browser itself would fetch, if it were let.
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync", "--no-pings",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--hide-scrollbars",
    "--disable-domain-reliability", "--disable-extensions", "--disable-features=OptimizationHints,MediaRouter",
]  # fmt: skip

BROWSER = "not an origin"


def opened(tmp_path, page, size):
    """Open a page and return what the browser then has as HTML, and the addresses that the page asked for."""
    log = tmp_path / "net.json"
    own = [f"--user-data-dir={tmp_path}", f"--window-size={size}", f"--log-net-log={log}"]
    done = subprocess.run(
        [CHROMIUM, *QUIET, *own, "--virtual-time-budget=8000", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    requests = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    # What the browser asks for on its own account has no origin.
    return done.stdout, {r["url"] for r in requests if r.get("initiator", BROWSER) != BROWSER and "url" in r}


def remote(asked):
    return sorted(url for url in asked if urlsplit(url).scheme not in ("file", "data", "blob"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(SITE).as_posix())
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_asks_another_host(tmp_path, page, size):
    document, asked = opened(tmp_path, page, size)
    assert remote(asked) == []
    if 'class="math' in page.read_text():
        assert "<mjx-container" in document, "mathematics is drawn"
        assert "<mjx-assistive-mml" in document, "and is there for screen readers"


def test_page_that_asks_another_host_is_noticed(tmp_path):
    page = tmp_path / "x.html"
    page.write_text('<script src="https://cdn.example.org/x.js"></script><img src="http://example.org/y.png">')
    assert remote(opened(tmp_path, page, PHONE)[1]) == ["http://example.org/y.png", "https://cdn.example.org/x.js"]
