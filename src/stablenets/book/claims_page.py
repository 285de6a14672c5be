"""Claims in the book: a box on their own page, and one table of all of them."""

from collections.abc import Iterable

from docutils import nodes
from myst_nb.core.render import MimeData, MimeRenderPlugin, NbElementRenderer
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from stablenets.book.languages import _, of_page, translate
from stablenets.claims import MIME_TYPE, Claim
from stablenets.phrases import N_

COLUMNS = {N_("Claim"): 45, N_("Measured"): 20, N_("Expected"): 15, N_("Source"): 20}
MARK = "✓ "


class ClaimRenderer(MimeRenderPlugin):
    """Draw a claim on its page, and note it for the page of all claims."""

    mime_priority_overrides = (("*", MIME_TYPE, 0),)

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        if inline or data.mime_type != MIME_TYPE:
            return None
        env = renderer.renderer.sphinx_env
        claim, claims = Claim.of(data.content), _claims(env).setdefault(env.docname, [])
        anchor = f"claim-{len(claims) + 1}"
        claims.append((anchor, claim))
        box = nodes.container(classes=["claim"], ids=[anchor])
        box += nodes.paragraph("", MARK + claim.statement, classes=["claim-statement"])
        # The numbers are those of this build: only the words around them can be translated beforehand.
        facts = nodes.paragraph("", f"{claim.numbers(translate)} · ", translatable=False)
        facts += nodes.inline(claim.source, claim.source, translatable=True)
        box += facts
        return [box]


class claims_table(nodes.General, nodes.Element):
    """Stands for the table of all claims until every page has been read."""


class ClaimsDirective(SphinxDirective):
    """``{claims}``: a table of every claim of the book, by page."""

    def run(self) -> list[nodes.Node]:
        _pages_with_table(self.env).add(self.env.docname)
        return [claims_table()]


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _claims(env).pop(docname, None)
    _pages_with_table(env).discard(docname)


def write_tables_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Any page may have changed a claim, so a page with the table of all claims is written in every build."""
    return sorted(_pages_with_table(env))


def fill_tables(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for placeholder in list(doctree.findall(claims_table)):
        pages = _in_reading_order(app.env)
        tables = [part for page in pages for part in _table(app, docname, page)]
        placeholder.replace_self([_contents(app.env, pages), *tables])


def _claims(env: BuildEnvironment) -> dict[str, list[tuple[str, Claim]]]:
    """Claims by page, each with its anchor, in the order of the page."""
    return env.__dict__.setdefault("stablenets_claims", {})


def _pages_with_table(env: BuildEnvironment) -> set[str]:
    return env.__dict__.setdefault("stablenets_pages_with_table", set())


def _in_reading_order(env: BuildEnvironment) -> list[str]:
    """The pages that make claims, as the table of contents has them."""
    order = [env.config.root_doc]
    for page in order:
        order.extend(env.toctree_includes.get(page, []))
    return sorted(_claims(env), key=order.index)


def _contents(env: BuildEnvironment, pages: list[str]) -> nodes.bullet_list:
    """Links to the tables."""
    links = (nodes.reference("", env.titles[page].astext(), internal=True, refid=_anchor(page)) for page in pages)
    return nodes.bullet_list("", *(nodes.list_item("", nodes.paragraph("", "", link)) for link in links))


def _anchor(page: str) -> str:
    return nodes.make_id(f"claims-of-{page}")


def _table(app: Sphinx, docname: str, page: str) -> list[nodes.Node]:
    body, translated = nodes.tbody(), of_page(app, page)
    for anchor, claim in _claims(app.env)[page]:
        target = app.builder.get_relative_uri(docname, page) + "#" + anchor
        link = nodes.reference("", translated(MARK + claim.statement).removeprefix(MARK), internal=True, refuri=target)
        facts = claim.summary(translate), claim.expectation(translate), translated(claim.source)
        cells = (link, *map(nodes.Text, facts))
        # A narrow screen shows the name of its column in every cell.
        body += _row(*((nodes.inline("", _(name), classes=["column"]), cell) for name, cell in zip(COLUMNS, cells)))
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in COLUMNS.values()), cols=len(COLUMNS))
    group += [nodes.thead("", _row(*([nodes.Text(_(column))] for column in COLUMNS))), body]
    title = nodes.rubric("", f"{app.env.titles[page].astext()} ({len(body)})", ids=[_anchor(page)])
    # As the parser of the pages wants it.
    title["level"] = 2
    return [title, nodes.table("", group, classes=["claims"])]


def _row(*cells: Iterable[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))
