"""Sentences that code says with values put in: found where they are written, translated where they are shown.

What a check says to a learner, or a slider tells, is an f-string. Its template, with ``{}`` in place of each value,
goes into the catalog of its chapter. In the outputs of a translated page the template is recognized again, and the
values are put into its translation.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape, unescape

from nbformat import NotebookNode

# A name or a key has fewer words.
WORDS = 2
# Without one, a text has only values to say.
WORD = re.compile("[a-z]{3}")
GAP = "{}"
NUMBERED = re.compile(r"\{(\d*)\}")
# Between what is said: a mark, points, or what is spoken of and what is said of it.
SEPARATOR = re.compile(r"(?<=[✓✗]) | (?=\(\d+/\d+\))|: | · ")
# Where the HTML of a slider has words: beside its picture, and for screen readers.
READ = re.compile(r'(?<=<label>)[^<]+?(?= <)|(?<="off">)[^<]+|(?<=aria-label=")[^"]+|(?<=aria-valuetext=")[^"]+')
TOLD = re.compile(r'(?<=data-told=")[^"]+')


def sentences(tree: ast.AST) -> Iterator[str]:
    """Yield the template of every text of a module that is a sentence; no docstring is one."""
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            apart |= {id(part) for part in node.values}
            text = _template(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            text = node.value
        else:
            continue
        if is_sentence(text):
            yield text


def told(tree: ast.AST) -> Iterator[str]:
    """Yield what the sliders of a notebook say: their labels, and the templates of their sentences."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "slider":
            yield ast.literal_eval(node.value)
        elif isinstance(node, ast.JoinedStr) and is_sentence(_template(node)):
            yield _template(node)


def is_sentence(text: str) -> bool:
    return len(text.split()) >= WORDS and bool(WORD.search(text))


def _template(text: ast.JoinedStr) -> str:
    return "".join(part.value if isinstance(part, ast.Constant) else GAP for part in text.values)


class Phrases:
    """Sentences with gaps that are known, and what they are in another language.

    >>> phrases = Phrases({"{} factors: from {} on": "从 {1} 起：{0} 个因子", "too small": "太小"})
    >>> phrases.translate("✗ f(2): 3 factors: from too small on")
    '✗ f(2): 从 太小 起：3 个因子'
    """

    def __init__(self, translations: Mapping[str, str]) -> None:
        # Those with the most words of their own first: others may have a gap for these words.
        order = sorted(translations, key=lambda template: -len(template.replace(GAP, "")))
        self.known = [(_pattern(template), translations[template]) for template in order]

    def translate(self, text: str) -> str:
        """Return the text with all sentences in it translated that are known."""
        cuts = list(SEPARATOR.finditer(text))
        starts, ends = (0, *(cut.end() for cut in cuts)), (*(cut.start() for cut in cuts), len(text))
        # The shortest first, so that no gap takes more than its value.
        slices = sorted(((start, end) for start in starts for end in ends if start < end), key=lambda s: s[1] - s[0])
        for pattern, translation in self.known:
            for start, end in slices:
                if found := pattern.fullmatch(text, start, end):
                    said = _fill(translation, [self.translate(value) for value in found.groups()])
                    return self.translate(text[:start]) + said + self.translate(text[end:])
        return text


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.*)".join(map(re.escape, template.split(GAP))), re.DOTALL)


def _fill(translation: str, values: Sequence[str]) -> str:
    """Put values into the gaps of a translation, in their order or, as in ``{1}``, by their number."""
    in_order = iter(values)
    return NUMBERED.sub(lambda gap: values[int(gap[1])] if gap[1] else next(in_order), translation)


def translate_outputs(notebook: NotebookNode, phrases: Phrases) -> None:
    """Translate what the checks and sliders of an executed notebook say."""
    for output in (output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs):
        if output.output_type == "stream":
            output.text = _lines(output.text, phrases)
        elif "text/html" in output.get("data", {}):
            output.data["text/html"] = _slider(output.data["text/html"], phrases)
        elif "text/plain" in output.get("data", {}):
            output.data["text/plain"] = _lines(output.data["text/plain"], phrases)


def _lines(text: str, phrases: Phrases) -> str:
    return "\n".join(map(phrases.translate, text.split("\n")))


def _slider(html: str, phrases: Phrases) -> str:
    def put(found: re.Match[str]) -> str:
        return escape(phrases.translate(unescape(found[0])))

    def put_all(found: re.Match[str]) -> str:
        return escape(json.dumps([phrases.translate(sentence) for sentence in json.loads(unescape(found[0]))]))

    return TOLD.sub(put_all, READ.sub(put, html))
