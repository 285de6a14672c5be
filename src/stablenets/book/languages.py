"""The book in other languages: pages translated by Sphinx's catalogs, and the words that our own directives add.

``locale/<language>/LC_MESSAGES`` holds one catalog for each translated page, and ``stablenets.po`` for the words of the
extension, and ``sentences`` those of what code says. :mod:`stablenets.book.catalogs` writes them.
"""

from collections.abc import Callable
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from docutils import nodes
from sphinx.addnodes import toctree
from sphinx.application import Sphinx
from sphinx.locale import get_translation, init
from sphinx.util.i18n import CatalogRepository

from stablenets.phrases import N_, Phrases

FOLDER = "locale"
DOMAIN = "stablenets"
# The catalogs of what code says: one a chapter, and one for all.
SAID, COMMON = "sentences", "common"
SOURCE = "en"
# Where a reader chooses, above the title.
SWITCH = '<p class="languages">{links}</p>'
NOTE = '<p class="untranslated">{}</p>'
LINK = '<a href="{target}" hreflang="{tag}" lang="{tag}">{name}</a>'

_ = get_translation(DOMAIN)


UNTRANSLATED = N_("{} (not translated)")


def translate(template: str) -> str:
    """Return what a template marked for the translators is in the language that is built."""
    return str(_(template))


def of_page(app: Sphinx, page: str) -> Callable[[str], str]:
    """Return the translation that a page's catalog has of a text, or else the text."""
    init([Path(app.srcdir) / FOLDER], app.config.language, page)
    return get_translation(page)


def languages(root: Path) -> list[str]:
    """Return the languages that the book is translated into, such as ``["zh_CN"]``."""
    return sorted(folder.name for folder in (root / FOLDER).iterdir())


def catalogs(root: Path, language: str) -> Path:
    """Return the folder of a language's catalogs."""
    return root / FOLDER / language / "LC_MESSAGES"


def read(path: Path) -> Catalog:
    """Return the catalog in a file."""
    with path.open("rb") as file:
        return read_po(file)


def in_words(root: Path, language: str) -> Callable[[str], str]:
    """Return the translation that a language has of a template marked for the translators, or else the template."""
    path = catalogs(root, language) / f"{DOMAIN}.po"
    kept = read(path) if path.exists() else Catalog()
    return lambda template: (kept[template].string if template in kept else "") or template


def phrases(app: Sphinx, page: str) -> Phrases:
    """Return what a translated page has for the sentences that its code says."""
    folder, translations = catalogs(Path(app.srcdir), app.config.language), {}
    if is_translated(Path(app.srcdir), app.config.language, page):
        for path in filter(Path.exists, (folder / SAID / f"{name}.po" for name in (COMMON, Path(page).name))):
            app.env.note_dependency(str(path))
            translations |= {message.id: message.string for message in read(path) if message.id and message.string}
    return Phrases(translations)


def load_words(app: Sphinx) -> None:
    """Compile what a translator changed, and let the extension speak the language that is built."""
    for catalog in CatalogRepository(app.srcdir, [FOLDER], app.config.language, "utf-8").catalogs:
        if catalog.is_outdated():
            catalog.write_mo(app.config.language)
    app.add_message_catalog(DOMAIN, Path(app.srcdir) / FOLDER)


def lead_to_languages(app: Sphinx, page: str, template: str, context: dict, document: object) -> None:
    """Put a link to the same page of every other language above the title."""
    if app.builder.format != "html" or document is None:
        return
    root, here = Path(app.srcdir), app.config.language
    up = "../" * (page.count("/") + (here != SOURCE))
    targets = {language: f"{up}{language}/{page}.html" for language in languages(root)} | {SOURCE: f"{up}{page}.html"}
    links = [
        LINK.format(target=target, tag=language.replace("_", "-"), name=_name(root, language, page))
        for language, target in targets.items()
        if language != here
    ]
    note = ""
    if not is_translated(root, here, page):
        note = NOTE.format(_("This page has not been translated yet."))
        # A screen reader has to know in which language to speak.
        context["body"] = f'<div lang="{SOURCE}">{context["body"]}</div>'
    context["body"] = SWITCH.format(links=" ".join(links)) + note + context["body"]


def is_translated(root: Path, language: str, page: str) -> bool:
    return language == SOURCE or (catalogs(root, language) / f"{page}.po").exists()


def _name(root: Path, language: str, page: str) -> str:
    """The name of a language in that language, with a word of warning where the page is not translated into it."""
    name = Locale.parse(language).get_language_name()
    if is_translated(root, language, page):
        return name
    return in_words(root, language)(UNTRANSLATED).format(name)


def translate_captions(app: Sphinx, doctree: nodes.document) -> None:
    """Translate the captions of the book's parts, which come into the tree after Sphinx has translated it."""
    translated = of_page(app, app.config.root_doc)
    for tree in doctree.findall(toctree):
        if tree.get("caption"):
            tree["caption"] = translated(tree["caption"])
