"""Build the book in every language from one execution of the notebooks: ``python -m stablenets.book.build``.

With ``print`` it builds the book as one page, with ``pdf`` also a PDF of it, with ``gettext FOLDER`` what is to be
translated.
"""

import multiprocessing
import shutil
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

from stablenets.book import notebooks, outputs
from stablenets.book.languages import FOLDER, languages
from stablenets.book.system import CHROMIUM

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
    out = root / BUILD / "print" / "html"
    # What the English pages were read into serves this one too, if the table of contents is named as they name it.
    toc = {"external_toc_path": (root / "_toc.yml").as_posix()}
    _sphinx(root, out, "singlehtml", toc, doctrees=root / BUILD / ".doctrees")
    return out / "intro.html"


def pdf(root: Path) -> Path | None:
    """Print the book into a PDF by Chromium and return it, or None where there is no Chromium."""
    page = single_page(root)
    browser = CHROMIUM.path()
    if browser is None:
        return None
    made = root / BUILD / "print" / "stable-nets.pdf"
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-pdf-header-footer",
    ]
    # Time for MathJax, by the browser's own clock.
    options += ["--virtual-time-budget=60000", f"--print-to-pdf={made.resolve()}"]
    subprocess.run([browser, *options, page.resolve().as_uri()], check=True)
    return made


def _sphinx(root: Path, out: Path, builder: str, settings: dict, doctrees: Path | None = None) -> None:
    from jupyter_book.sphinx import build_sphinx

    failed = build_sphinx(
        root, out, path_config=root / "_config.yml", noconfig=True,
        doctreedir=doctrees or out.parent / f"{out.name}-doctrees",
        builder=builder, confoverrides={**SETTINGS, **settings},
        warningiserror=True, keep_going=True, quiet=True,
    )  # fmt: skip
    if failed:
        raise SystemExit(f"the {settings.get('language', builder)} build failed: {failed}")


def begin(root: Path) -> Path:
    """Note that a build has begun, and return the note; after one that did not end well every page is drawn again.

    What was interrupted may have left half a page, which looks new to Sphinx; and what Sphinx has warned of once, it
    does not warn of again.
    """
    note = root / BUILD / "unfinished"
    if note.exists():
        for folder in ("html", ".doctrees", *languages(root)):
            shutil.rmtree(root / BUILD / folder, ignore_errors=True)
    note.parent.mkdir(exist_ok=True)
    note.touch()
    return note


def main(root: Path) -> int:
    """Build every language, side by side where nothing is left to execute; return the number of those that failed."""
    unfinished = begin(root)
    failed = _every_language(root)
    if not failed:
        unfinished.unlink()
    return failed


def _every_language(root: Path) -> int:
    # Sphinx's extension for the table of contents looks at every object there is, and at one of torch's that warns.
    warnings.filterwarnings("ignore", r"`torch\.distributed\.reduce_op` is deprecated", FutureWarning)
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
    elif sys.argv[1:2] == ["pdf"]:
        print(pdf(Path.cwd()) or "No Chromium here (make system): print _build/print/html/intro.html in a browser.")
    else:
        try:
            failed = main(Path.cwd())
        except KeyboardInterrupt:
            for build in multiprocessing.active_children():
                # Time to end its kernels; what takes longer has not noticed, and is drawn again anyway.
                build.join(5)
                build.terminate()
            sys.exit("\nInterrupted. What was executed is kept: the next build goes on from there.")
        if not failed:
            report(Path.cwd())
        sys.exit(failed)
