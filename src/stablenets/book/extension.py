"""The Sphinx extension of the book: where its hooks, directives and roles are made known."""

from pathlib import Path
from zlib import crc32

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxRole

from stablenets.book import accessible, claims_page, execution, folding, languages, offline, reference, times_page
from stablenets.book.languages import N_
from stablenets.checks.run import exercise

# What an exercise says of itself.
SAID = [N_("{} points"), N_("1 point"), N_("{} minutes"), N_("1 minute"), N_("check {}"), N_("open question")]


# The book's own style.
STATIC = Path(__file__).parent / "static"


class ExerciseRole(SphinxRole):
    """A role that names an exercise by its id and prints its points and minutes, as the registry has them."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        facts = languages.with_values(exercise(self.text).summary, SAID)
        return [nodes.emphasis(self.rawtext, facts, classes=["exercise-facts"])], []


def use_own_style(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(STATIC))
    app.add_css_file("book.css")


def setup(app: Sphinx) -> dict[str, bool | int]:
    app.add_role("exercise", ExerciseRole())
    app.add_node(claims_page.claims_table)
    app.add_directive("execution-times", times_page.TimesDirective)
    app.add_directive("claims", claims_page.ClaimsDirective)
    app.connect("env-get-outdated", execution.find_outdated)
    app.connect("env-before-read-docs", execution.execute_missing)
    app.connect("source-read", execution.insert_outputs)
    app.connect("doctree-read", folding.group_answers)
    app.connect("doctree-read", languages.translate_captions)
    app.connect("env-purge-doc", claims_page.forget_page)
    app.connect("env-updated", claims_page.write_tables_again)
    app.connect("doctree-resolved", claims_page.fill_tables)
    app.connect("autodoc-skip-member", reference.skip)
    app.connect("autodoc-process-docstring", reference.describe)
    app.connect("config-inited", use_own_style)
    app.connect("config-inited", offline.use_own_mathjax)
    app.connect("builder-inited", languages.load_words)
    # After the theme, whose functions it mends.
    app.connect("html-page-context", accessible.mend, priority=900)
    app.connect("html-page-context", offline.leave_out_thebe)
    app.connect("html-page-context", languages.lead_to_languages)
    app.connect("build-finished", offline.copy_mathjax)
    # Pages that were drawn by other code than this are drawn again, and all when a catalog is new or gone.
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    sources += str(sorted((Path(app.srcdir) / languages.FOLDER).rglob("*.po"))).encode()
    # One process reads the pages, so that the claims come together; reading is fast, since outputs are there.
    return {"parallel_read_safe": False, "parallel_write_safe": True, "env_version": crc32(sources)}
