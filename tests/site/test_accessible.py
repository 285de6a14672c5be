"""axe-core finds nothing serious on any page, in light and in dark."""

import importlib.util
import json
from pathlib import Path

import pytest
from browser import DESKTOP, SITE, needs_browser, opened_with, remote
from browser import PAGES as EVERY
from bs4 import BeautifulSoup

# Not the index, which only leads on to the first page.
PAGES = [page for page in EVERY if page.name != "index.html"]
AXE = Path(importlib.util.find_spec("axe_core_python").submodule_search_locations[0]) / "axe.min.js"
GRAVE = {"serious", "critical"}
# The theme keeps the reader's choice in an attribute of the document.
SCHEMES = ["light", "dark"]
RUN = """<script>{axe}</script><script>
addEventListener("load", () => setTimeout(async () => {{
  const told = document.createElement("script");
  const found = [];
  const style = document.createElement("style");
  style.textContent = "* {{ transition: none !important }}";
  document.head.append(style);
  for (const scheme of {schemes}) {{
    document.documentElement.dataset.theme = scheme;
    await new Promise(done => setTimeout(done, 500));
    const {{violations}} = await axe.run(document, {{resultTypes: ["violations"]}});
    found.push(...violations.map(each => ({{scheme, id: each.id, impact: each.impact, count: each.nodes.length,
      nodes: each.nodes.slice(0, 5).map(node => node.html.slice(0, 200) + " · " + node.failureSummary)}})));
  }}
  told.type = "application/json";
  told.id = "axe-found";
  told.textContent = JSON.stringify(found);
  document.body.append(told);
}}, 1000));
</script>"""


def violations(tmp_path, page):
    """What axe finds in both schemes, and the addresses that the page asked for on the way."""
    script = RUN.format(axe=AXE.read_text(encoding="utf-8"), schemes=SCHEMES)
    document, asked = opened_with(tmp_path, page, script, DESKTOP)
    told = BeautifulSoup(document, "html.parser").find(id="axe-found")
    assert told is not None, "axe came to an end"
    return [each for each in json.loads(told.text) if each["impact"] in GRAVE], asked


@needs_browser
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(SITE).as_posix())
def test_nothing_serious_is_found_in_light_and_dark(tmp_path, page):
    found, asked = violations(tmp_path, page)
    assert not found, "\n".join(f"{each['scheme']}: {each['id']} × {each['count']}: {each['nodes']}" for each in found)
    assert remote(asked) == []


@needs_browser
def test_page_with_faults_is_noticed_in_both_schemes(tmp_path):
    page = tmp_path / "x.html"
    page.write_text("<!doctype html><html><body><img src='x.png'><p style='color:#ddd'>pale</p></body></html>")
    found = {(each["scheme"], each["id"]) for each in violations(tmp_path, page)[0]}
    assert {(scheme, id) for scheme in SCHEMES for id in ("color-contrast", "image-alt", "html-has-lang")} <= found
