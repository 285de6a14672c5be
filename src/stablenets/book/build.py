"""Build the book in every language from one execution of the notebooks: ``python -m stablenets.book.build``.

With ``print`` it builds the book as one page, with ``gettext FOLDER`` what is to be translated.
"""

import multiprocessing
import shutil
import sys
from importlib import import_module
from pathlib import Path

from stablenets.book import notebooks, outputs
from stablenets.book.languages import FOLDER, languages

BUILD = "_build"
# One catalog a page, and what Jupyter Book wants to be set.
SETTINGS = {"gettext_compact": False, "nitpicky": True, "latex_individualpages": False}
# A picture's text for screen readers is to be translated too.
PICTURES = {"nb_mime_priority_overrides": [("gettext", "image/png", 1)]}


def source() -> None:
    """Build the English book, executing what has no valid outputs."""
    from jupyter_book.cli.main import main as jupyter_book

    jupyter_book(["build", ".", "-W", "-n", "--keep-going"], standalone_mode=False)


def translation(root: Path, language: str) -> None:
    """Build the book in another language, and put it into the folder of its name in the English one."""
    folder = root / BUILD / language
    _sphinx(root, folder / "html", "html", {"language": language, "locale_dirs": [FOLDER]})
    place = root / BUILD / "html" / language
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / "html", place)


def messages(root: Path, out: Path) -> None:
    """Write what is to be translated, one file a page."""
    shutil.rmtree(out, ignore_errors=True)
    _sphinx(root, out, "gettext", PICTURES)


def single_page(root: Path) -> Path:
    """Build the English book as one page, to print it or to save it as PDF, and return that page."""
    _sphinx(root, root / BUILD / "print" / "html", "singlehtml", {})
    return root / BUILD / "print" / "html" / "intro.html"


def _sphinx(root: Path, out: Path, builder: str, settings: dict) -> None:
    from jupyter_book.sphinx import build_sphinx

    failed = build_sphinx(
        root, out, path_config=root / "_config.yml", noconfig=True, doctreedir=out.parent / f"{out.name}-doctrees",
        builder=builder, confoverrides={**SETTINGS, **settings},
        warningiserror=True, keep_going=True, quiet=True,
    )  # fmt: skip
    if failed:
        raise SystemExit(f"the {settings.get('language', builder)} build failed: {failed}")


def main(root: Path) -> int:
    """Build every language, side by side where nothing is left to execute; return the number of those that failed."""
    ready = all(outputs.kept(path.relative_to(root), root) is not None for path in notebooks.paths(root))
    # So that the processes below need not import it; those that cannot be forked safely do so all the same.
    for name in ("jupyter_book.cli.main", "stablenets.book.extension"):
        import_module(name)
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    english = context.Process(target=source)
    english.start()
    if not ready:
        english.join()
        if english.exitcode:
            # Another language would only execute the notebook that failed once more.
            return 1
    others = [context.Process(target=translation, args=(root, language)) for language in languages(root)]
    for build in others:
        build.start()
    for build in (english, *others):
        build.join()
    return sum(build.exitcode != 0 for build in (english, *others))


def report(root: Path) -> None:
    """Say how long each notebook took when it was executed, be it by this build or by an earlier one."""
    seconds = outputs.seconds(root)
    print("\nSeconds of each notebook when it was executed, on one thread:")
    for name, value in seconds.items():
        print(f"{value:8.1f}  {name.with_suffix('')}")
    print(f"{sum(seconds.values()):8.1f}  all together")


if __name__ == "__main__":
    if sys.argv[1:2] == ["gettext"]:
        messages(Path.cwd(), Path(sys.argv[2]))
    elif sys.argv[1:2] == ["print"]:
        print(single_page(Path.cwd()))
    else:
        failed = main(Path.cwd())
        if not failed:
            report(Path.cwd())
        sys.exit(failed)
