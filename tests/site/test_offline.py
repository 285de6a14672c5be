"""Every page works without a network: a real browser opens it and asks no other host for anything."""

import pytest
from browser import DESKTOP, PAGES, PHONE, SITE, needs_browser, opened, remote

pytestmark = needs_browser


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
