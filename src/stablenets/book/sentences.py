"""Sentences that code says with values put in: found where they are written, translated in the outputs of a page.

What a check says to a learner, or a slider tells, is an f-string. Its template, with ``{}`` in place of each value,
goes into the catalog of its chapter; :class:`stablenets.phrases.Phrases` recognizes it again. In place of words that
the f-string chooses itself, as in ``f"too {'large' if x > y else 'small'}"``, they stand in a template each.
"""

import ast
import json
import re
from collections.abc import Iterator
from html import escape, unescape
from itertools import product

from nbformat import NotebookNode

from stablenets.phrases import GAP, VERBATIM, Phrases

# A name or a key has fewer words.
WORDS = 2
# Without one, a text has only values to say.
WORD = re.compile("[A-Za-z]{3}")
# Calls that name what is judged of an answer, in one word or more.
NAMING = {"Value", "_value", "_number", "part"}
# Where the HTML of a slider has words: beside its picture, and for screen readers.
READ = re.compile(r'(?<=<label>)[^<]+?(?= <)|(?<="off">)[^<]+|(?<=aria-label=")[^"]+|(?<=aria-valuetext=")[^"]+')
TOLD = re.compile(r'(?<=data-told=")[^"]+')


def sentences(tree: ast.AST) -> Iterator[str]:
    """Yield the template of every text of a module that is a sentence; no docstring is one.

    What the code itself translates is left out: it is marked by ``N_``.
    """
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "N_":
            apart |= {id(argument) for argument in node.args}
        elif isinstance(node, ast.Call) and _called(node) in NAMING:
            yield from (word for argument in node.args for word in _words(argument))
        elif isinstance(node, ast.JoinedStr):
            apart |= {id(part) for part in node.values}
            yield from filter(is_sentence, _templates(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield from filter(is_sentence, [node.value])


def told(tree: ast.AST) -> Iterator[str]:
    """Yield what the sliders of a notebook say: their labels, and the templates of their sentences."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "slider":
            yield ast.literal_eval(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield from filter(is_sentence, _templates(node))


def is_sentence(text: str) -> bool:
    return len(text.split()) >= WORDS and bool(WORD.search(text))


def _templates(text: ast.JoinedStr) -> Iterator[str]:
    return map("".join, product(*map(_choices, text.values)))


def _choices(part: ast.expr) -> list[str]:
    """What may stand in this place of a template: its own words, one of those it chooses from, or a gap."""
    if isinstance(part, ast.FormattedValue):
        return _words(part.value) or [VERBATIM if part.conversion == ord("s") and not part.format_spec else GAP]
    return _words(part)


def _words(value: ast.expr) -> list[str]:
    """The texts that an expression may be, if that can be seen."""
    choices = [value]
    if isinstance(value, ast.IfExp):
        choices = [value.body, value.orelse]
    elif isinstance(value, ast.Subscript):
        choices = getattr(value.value, "elts", [])
    words = [choice.value for choice in choices if isinstance(choice, ast.Constant) and isinstance(choice.value, str)]
    return words if len(words) == len(choices) else []


def _called(call: ast.Call) -> str:
    """The name of the function that is called, whatever it belongs to."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def translate_outputs(notebook: NotebookNode, phrases: Phrases) -> None:
    """Translate what the checks and sliders of an executed notebook say."""
    for output in (output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs):
        if output.output_type == "stream":
            output.text = phrases.translate(output.text)
        elif "text/html" in output.get("data", {}):
            output.data["text/html"] = _slider(output.data["text/html"], phrases)
        elif "text/plain" in output.get("data", {}):
            output.data["text/plain"] = phrases.translate(output.data["text/plain"])


def _slider(html: str, phrases: Phrases) -> str:
    def put(found: re.Match[str]) -> str:
        return escape(phrases.translate(unescape(found[0])))

    def put_all(found: re.Match[str]) -> str:
        return escape(json.dumps([phrases.translate(sentence) for sentence in json.loads(unescape(found[0]))]))

    return TOLD.sub(put_all, READ.sub(put, html))
