"""What translators work on: everything that the book says, in one catalog for each page.

After a change of the English text,

    python -m stablenets.book.catalogs [--language LANGUAGE] [PAGE …]

brings every catalog in ``locale`` up to date, or those of one language, and starts those of further pages, such as
``chapters/initialization``.
A text that has changed loses its translation; a test fails until it has a new one. The catalog ``stablenets`` has the
words of the book's own directives, and those in ``sentences`` what the checks and the sliders of a chapter say.
"""

import argparse
import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from stablenets.book import notebooks
from stablenets.book.languages import COMMON, DOMAIN, SAID, catalogs, languages, read
from stablenets.book.sentences import sentences, told

PACKAGE = Path(__file__).parents[1]
MARKERS = {"_": None, "N_": None}


def templates(root: Path, out: Path) -> dict[str, Catalog]:
    """Return all that is to be translated, by the name of its catalog; ``out`` takes what Sphinx writes on the way."""
    subprocess.run([sys.executable, "-m", "stablenets.book.build", "gettext", str(out)], cwd=root, check=True)
    found = {name: read(path) for name, path in files(out, ".pot").items()}
    found[DOMAIN] = Catalog()
    for _name, _line, message, *_more in extract_from_dir(PACKAGE, [("**.py", "python")], keywords=MARKERS):
        found[DOMAIN].add(message)
    for name, text in said_by_code(root):
        found.setdefault(name, Catalog()).add(text)
    return found


def said_by_code(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of a catalog, and the template of a sentence that the checks or the sliders of its chapter say."""
    checks = PACKAGE / "checks"
    for path in sorted(checks.rglob("*.py")):
        topic = path.relative_to(checks).parts[0]
        name = COMMON if topic == path.name else topic.replace("_", "-")
        for text in sentences(ast.parse(path.read_text(encoding="utf-8"))):
            yield f"{SAID}/{name}", text
    for path in notebooks.paths(root):
        if path.parent.name == notebooks.FOLDERS[0]:
            cells = nbformat.read(path, as_version=4).cells
            for text in told(ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))):
                yield f"{SAID}/{path.stem}", text


def faults(catalog: Catalog, template: Catalog) -> list[str]:
    """Return what is out of date in a catalog: texts without a translation, and translations of no text."""
    wanted, kept = ({message.id for message in one if message.id} for one in (template, catalog))
    missing = [text for text in wanted if text not in catalog or not catalog[text].string or catalog[text].fuzzy]
    return [f"not translated: {text}" for text in missing] + [f"no longer there: {text}" for text in kept - wanted]


def update(root: Path, out: Path, pages: list[str], chosen: list[str]) -> None:
    """Bring the catalogs of the chosen languages up to date with the English text, and start those of more pages."""
    wanted = templates(root, out)
    for language in chosen:
        folder = catalogs(root, language)
        # The words of the book's frame are wanted with the first page.
        for name in sorted({DOMAIN, *files(folder, ".po"), *pages}):
            path = folder / f"{name}.po"
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


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m stablenets.book.catalogs", description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="*", help="further catalogs to start, such as chapters/initialization")
    parser.add_argument("--language", help="this one alone, such as fr: it is started if there is none yet")
    chosen = parser.parse_args(arguments)
    root = Path.cwd()
    update(root, root / "_build" / "gettext", chosen.pages, [chosen.language] if chosen.language else languages(root))


if __name__ == "__main__":
    main()
