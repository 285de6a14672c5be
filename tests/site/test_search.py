"""The search of the book works where no server answers but one that hands out files, and where there is none."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser import DESKTOP, SITE, dumped, needs_browser
from bs4 import BeautifulSoup

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


def found(tmp_path, url):
    results = BeautifulSoup(dumped(tmp_path, url, DESKTOP), "html.parser").select("#search-results li a")
    return {re.sub(r"[#?].*", "", link["href"]) for link in results}


@pytest.mark.parametrize(
    ("folder", "query", "page"),
    [
        ("", "Lyapunov", "chapters/gradient-stability.html"),
        ("", "trust_coefficient", "api.html"),
        ("zh_CN/", "贷款", "chapters/feedback.html"),
    ],
)
@pytest.mark.parametrize("served", [True, False], ids=["served", "from the disk"])
def test_search_finds_the_page(tmp_path, address, served, folder, query, page):
    root = address if served else SITE.as_uri()
    assert page in found(tmp_path, f"{root}/{folder}search.html?q={query}")


def test_search_finds_nothing_for_a_word_that_is_not_there(tmp_path, address):
    assert found(tmp_path, f"{address}/search.html?q=zzyzxqq") == set()
