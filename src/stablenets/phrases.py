"""What the course says in any language: templates with ``{}`` for each value.

Code that has the values at hand (a claim, the facts of an exercise) keeps them as fields; its template is translated,
and then they are put in: :func:`fill`.

What checks and sliders say stays a plain f-string, and is recognized again by the templates in its language's catalogs:
:class:`Phrases`. Text is what is printed in the committed notebooks, returned by the learner's notebook, and kept in
the rows of a grader, so that it alone goes every way, and a grader's old rows can be shown in any language; templates
and values would have to travel beside it through each of these, and some eighty f-strings would read as calls. The
price is that a text must be recognized without doubt. Tests hold that for every template that can be said and for
every line of the notebooks; a text with two meanings stays English.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple

GAP = "{}"
# A value that may hold anything, such as what a learner's code raised: none of its words is ours.
VERBATIM = "{!s}"
GAPS = re.compile(r"\{(?:!s)?\}")
NUMBERED = re.compile(r"\{(\d*)(?:!s)?\}")
# A line of a check: a mark, the name of a part with its points, and what is said.
LINE = re.compile(r"(?:(\s*[✓✗] )(?:(.*?)( \(\d+/\d+\)(?:: |$)))?)?(.*)")
DEPTH = {"(": 1, "[": 1, ")": -1, "]": -1, ": ": 0}
MARKS = re.compile(r"[()\[\]]|: ")

Translate = Callable[[str], str]


def N_(text: str) -> str:
    """Mark a text for the translators that is looked up where it is shown."""
    return text


def fill(template: str, *values: str) -> str:
    """Put values into the gaps of a template, in their order or, as in ``{1}``, by their number.

    >>> fill("{1} 的{0}", "weight", "f(2)")
    'f(2) 的weight'
    """
    in_order = iter(values)
    return NUMBERED.sub(lambda gap: values[int(gap[1])] if gap[1] else next(in_order), template)


class Reading(NamedTuple):
    """How a text is understood.

    Attributes:
        weight: the number of its characters that are words of known templates, of those the outermost one's, and minus
            the number of templates. What weighs most is meant: the sentence that explains most of the text, and holds
            the others, without pieces that are a text by themselves.
        translations: what it is in the other language; more than one if it can be meant in several ways.
        values: what is no known text: numbers, names, calls.
    """

    weight: tuple[int, int, int]
    translations: frozenset[str]
    values: tuple[str, ...]


# Of the texts of a line that have been looked at.
Known = dict[str, Reading | None]


class Phrases:
    """Templates that are known, and what they are in another language.

    >>> phrases = Phrases({"the {} of {}": "{1} 的{0}", "{} is too small": "{}太小", "best weight": "最优权重"})
    >>> phrases.translate("✗ f('a: b'): the best weight of g(2) is too small")
    "✗ f('a: b'): g(2) 的最优权重太小"
    """

    def __init__(self, translations: Mapping[str, str]) -> None:
        self._whole = {text: translation for text, translation in translations.items() if not GAPS.search(text)}
        templates = [_Template(*each) for each in translations.items() if each[0] not in self._whole]
        # Where one of these fits, the others are not asked; where a whole text is known, neither are.
        self._verbatim = [template for template in templates if any(template.verbatim)]
        self._others = [template for template in templates if not any(template.verbatim)]

    def translate(self, text: str) -> str:
        """Return the text with all in it translated that is known, line by line; a line of two meanings stays."""
        return "\n".join(map(self._translate_line, text.split("\n")))

    def _translate_line(self, line: str) -> str:
        reading = self.read(line)
        return next(iter(reading.translations)) if reading and len(reading.translations) == 1 else line

    def read(self, line: str) -> Reading | None:
        """Return the weightiest reading of a line, or None if it has none."""
        mark, part, points, message = LINE.fullmatch(line).groups("")
        known: Known = {}
        readings = [self._value(part, known)] if part else []
        readings += [self._message(message, known)] if message else []
        if None in readings:
            return None
        return _put(f"{mark}{GAP if part else ''}{points}{GAP if message else ''}", readings)

    def _message(self, text: str, known: Known) -> Reading | None:
        """Read what may be a mistake behind the call that shows it."""
        if certain := self._certain(text, known):
            return certain
        readings = [self._value(text, known)]
        for cut in re.finditer(": ", text):
            if call := self._value(text[: cut.start()], known):
                mistake = self._value(text[cut.end() :], known)
                readings += [_put("{}: {}", [call, mistake])] if mistake else []
        return _weightiest(filter(None, readings))

    def _value(self, text: str, known: Known) -> Reading | None:
        if text not in known:
            plain = [Reading((0, 0, 0), frozenset([text]), (text,))] if _is_value(text) else []
            certain = self._certain(text, known)
            known[text] = certain or _weightiest([*plain, *self._fitted(self._others, text, known)])
        return known[text]

    def _certain(self, text: str, known: Known) -> Reading | None:
        """Read what needs no weighing: a whole text, or one that ends in words of which none is ours."""
        if text in self._whole:
            return _put(self._whole[text], [], len(text))
        # The first gap is the shortest: whatever follows may be the learner's.
        first = (next(self._fitted([template], text, known), None) for template in self._verbatim)
        return _weightiest(filter(None, first))

    def _fitted(self, templates: list["_Template"], text: str, known: Known) -> Iterator[Reading]:
        """Yield the readings of a text as one of the templates with its values."""
        for template in templates:
            for values in _between(template.parts, text):
                readings = [
                    Reading((0, 0, 0), frozenset([value]), ()) if verbatim else self._value(value, known)
                    for value, verbatim in zip(values, template.verbatim)
                ]
                if None not in readings:
                    yield _put(template.translation, readings, template.weight)


class _Template:
    """A template cut at its gaps."""

    def __init__(self, text: str, translation: str) -> None:
        self.translation = translation
        self.parts = GAPS.split(text)
        self.verbatim = [gap == VERBATIM for gap in GAPS.findall(text)]
        self.weight = sum(map(len, self.parts))


def _put(translation: str, readings: list[Reading], weight: int = 0) -> Reading:
    """The reading of a text from those of its values."""
    translations = product(*(reading.translations for reading in readings))
    return Reading(
        (weight + sum(each.weight[0] for each in readings), weight, sum(each.weight[2] for each in readings) - 1),
        frozenset(fill(translation, *values) for values in translations),
        tuple(value for reading in readings for value in reading.values),
    )


def _weightiest(readings: Iterable[Reading]) -> Reading | None:
    """One reading for those that weigh most, with their translations: two are enough to see that they differ."""
    readings = list(readings)
    most = max((reading.weight for reading in readings), default=None)
    best = [reading for reading in readings if reading.weight == most]
    translations = sorted({translation for reading in best for translation in reading.translations})
    return best[0]._replace(translations=frozenset(translations[:2])) if best else None


def _between(parts: list[str], text: str) -> Iterator[tuple[str, ...]]:
    """Yield every way in which a text consists of the parts with something between them."""
    first, *others = parts
    if not text.startswith(first) or not text.endswith(parts[-1]):
        return
    rest = text[len(first) :]
    if not others:
        if not rest:
            yield ()
        return
    start = 1 if len(others) > 1 else max(1, len(rest) - len(others[0]))
    while (start := rest.find(others[0], start)) >= 0:
        for values in _between(others, rest[start:]):
            yield rest[:start], *values
        start += 1


def _is_value(text: str) -> bool:
    """Whether this can be a number, a name or a call: every bracket is closed, and outside them is no colon."""
    depth = 0
    for mark in MARKS.findall(text):
        depth += DEPTH[mark]
        if depth < 0 or (depth == 0 and mark == ": "):
            return False
    return depth == 0
