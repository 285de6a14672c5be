"""Text of anyone's making, made fit to be shown and stored: no characters that control or hide, and not too long."""

import unicodedata


def plain(text: str, longest: int = 500) -> str:
    """Return text on one line, without characters that control or hide, and not too long.

    >>> plain("a\\x1b[31m\\n b")
    'a [31m b'
    """
    cut = text[: 4 * longest]
    words = " ".join("".join(c if c.isprintable() else " " for c in cut).split())
    return words if len(words) <= longest and len(cut) == len(text) else words[:longest].rstrip() + " …"


def plain_lines(text: str, longest: int = 20_000) -> str:
    """Return text with its lines, without characters that control or hide, and not too long."""
    shown = "".join(c for c in text[:longest].replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c)[0] != "C")
    return shown if len(text) <= longest else shown + "\n… (cut: the answer is too long)"
