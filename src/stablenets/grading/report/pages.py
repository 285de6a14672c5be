"""Pages for instructor and students, in which nothing that a submission said is ever markup."""

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from mdit_py_plugins.dollarmath import dollarmath_plugin

from stablenets.grading.report.gradebook import title
from stablenets.grading.text import plain, plain_lines
from stablenets.masters.files import write_text

MOST_NOTES = 20
FOLDERS = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+")


def counted(number: int, thing: str) -> str:
    """Return so many things, in words that agree.

    >>> counted(1, "answer"), counted(2, "answer")
    ('1 answer', '2 answers')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def write_page(path: Path, template: str, **values: object) -> None:
    """Write a page from one of the templates."""
    write_text(path, _templates().get_template(template).render(most_notes=MOST_NOTES, **values))


@functools.cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("stablenets.grading.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters |= {
        "plain": _plain,
        # Where this machine keeps its files is no student's business.
        "without_folders": lambda text: FOLDERS.sub("…/", _plain(text)),
        "lines": plain_lines,
        "counted": counted,
        "title": title,
        "number": lambda points: f"{round(points, 2):g}",
        "prose": lambda text: text.replace("`", ""),
        "markdown": _markdown,
        "bars": _bars,
    }
    return made


def _plain(text: str) -> str:
    return plain(text, 2000)


def _markdown(text: str) -> Markup:
    """Trusted Markdown, of a master notebook; even there no HTML passes. Formulas stay as they are written."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    dollarmath_plugin(reader, renderer=lambda formula, options: f"${escape(formula)}$")
    return Markup(reader.render(text))


def _bars(counts: Sequence[int], what: str, small: bool = False) -> Markup:
    """A bar for each number of points from 0, in a picture whose text says the counts."""
    width, height = (12, 28) if small else (max(3, min(36, 640 // len(counts))), 110)
    most = max(*counts, 1)
    in_words = ", ".join(f"{points}: {count}" for points, count in enumerate(counts) if count)
    bars = []
    for points, count in enumerate(counts):
        tall, x = (height - (4 if small else 30)) * count / most, points * width
        base = height - (2 if small else 16)
        bars.append(f'<rect x="{x + 1}" y="{base - tall:.1f}" width="{width - 2}" height="{max(tall, 0.8):.1f}"/>')
        if not small:
            bars += [_label(x + width / 2, height - 3, points)] if points % (1 if width > 20 else 5) == 0 else []
            bars += [_label(x + width / 2, base - tall - 3, count)] if count else []
    inside, wide = "".join(bars), width * len(counts)
    return Markup(
        f'<svg role="img" aria-label="{escape(what)}. {escape(in_words)}" width="{wide}" height="{height}" '
        f'viewBox="0 0 {wide} {height}">{inside}</svg>'
    )


def _label(x: float, y: float, number: int) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{number}</text>'
