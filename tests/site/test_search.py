"""The search of the book works where no server answers but one that hands out files, and where there is none."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser import SITE, needs_browser, visiting

pytestmark = needs_browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address():
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def found(browser, url):
    with visiting(browser, url) as visit:
        visit.page.wait_for_function("document.querySelector('.search-summary')?.textContent.trim()")
        links = visit.page.locator("#search-results li a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        return {re.sub(r"[#?].*", "", link) for link in links}


@pytest.mark.parametrize(
    ("folder", "query", "page"),
    [
        ("", "Lyapunov", "chapters/gradient-stability.html"),
        ("", "trust_coefficient", "reference/api.html"),
        ("zh_CN/", "贷款", "chapters/feedback.html"),
    ],
)
@pytest.mark.parametrize("served", [True, False], ids=["served", "from the disk"])
def test_search_finds_the_page(browser, address, served, folder, query, page):
    root = address if served else SITE.as_uri()
    assert page in found(browser, f"{root}/{folder}search.html?q={query}")


def test_search_finds_nothing_for_a_word_that_is_not_there(browser, address):
    assert found(browser, f"{address}/search.html?q=zzyzxqq") == set()
