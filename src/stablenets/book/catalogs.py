"""What translators work on: everything that the book says, in one catalog for each page.

After a change of the English text,

    python -m stablenets.book.catalogs [PAGE …]

brings every catalog in ``locale`` up to date, and starts those of further pages, such as ``chapters/initialization``.
A text that has changed loses its translation; a test fails until it has a new one. The catalog ``stablenets`` has the
words of the book's own directives, ``checks`` the messages of the checks.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from stablenets.book.languages import DOMAIN, catalogs, languages

PACKAGE = Path(__file__).parents[1]
MARKERS = {"_": None, "N_": None}
# A name or a key has fewer words.
SENTENCE = 3
# Without one, a text has only values to say.
WORD = re.compile("[a-z]{4}")


def templates(root: Path, out: Path) -> dict[str, Catalog]:
    """Return all that is to be translated, by the name of its catalog; ``out`` takes what Sphinx writes on the way."""
    subprocess.run([sys.executable, "-m", "stablenets.book.build", "gettext", str(out)], cwd=root, check=True)
    found = {name: read(path) for name, path in files(out, ".pot").items()}
    found |= {DOMAIN: Catalog(), "checks": Catalog()}
    for _name, _line, message, *_more in extract_from_dir(PACKAGE, [("**.py", "python")], keywords=MARKERS):
        found[DOMAIN].add(message)
    for path in sorted((PACKAGE / "checks").rglob("*.py")):
        for message in sentences(ast.parse(path.read_text(encoding="utf-8"))):
            found["checks"].add(message)
    return found


def sentences(tree: ast.AST) -> Iterator[str]:
    """Yield every text of a module that is a sentence, with ``{…}`` where a value is put in; no docstring is one."""
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            apart |= {id(part) for part in node.values}
            text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            text = node.value
        elif isinstance(node, ast.FunctionDef) and node.decorator_list:
            # The name of a part of an exercise is what the learner reads.
            text = node.name.replace("_", " ")
        else:
            continue
        if len(text.split()) >= SENTENCE and WORD.search(text):
            yield text


def faults(catalog: Catalog, template: Catalog) -> list[str]:
    """Return what is out of date in a catalog: texts without a translation, and translations of no text."""
    wanted, kept = ({message.id for message in one if message.id} for one in (template, catalog))
    missing = [text for text in wanted if text not in catalog or not catalog[text].string or catalog[text].fuzzy]
    return [f"not translated: {text}" for text in missing] + [f"no longer there: {text}" for text in kept - wanted]


def update(root: Path, out: Path, more: list[str]) -> None:
    """Bring the catalogs of every language up to date with the English text, and start those of more pages."""
    wanted = templates(root, out)
    for language in languages(root):
        folder = catalogs(root, language)
        for name, path in (files(folder, ".po") | {name: folder / f"{name}.po" for name in more}).items():
            kept = read(path) if path.exists() else Catalog()
            # What only resembles the old text would be taken for its translation.
            kept.update(wanted[name], no_fuzzy_matching=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                write_po(file, kept, width=120, no_location=True, omit_header=True, ignore_obsolete=True)
            print(f"{path.relative_to(root)}: {sum(not each.string for each in kept if each.id)} texts to translate")


def files(folder: Path, suffix: str) -> dict[str, Path]:
    """Return the catalogs in a folder by their names, such as ``chapters/feedback``."""
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob(f"*{suffix}"))}


def read(path: Path) -> Catalog:
    """Return the catalog in a file."""
    with path.open("rb") as file:
        return read_po(file)


if __name__ == "__main__":
    update(Path.cwd(), Path.cwd() / "_build" / "gettext", sys.argv[1:])
