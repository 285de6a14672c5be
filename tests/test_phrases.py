"""What checks and sliders say is recognized without doubt, whatever the values."""

import random
import re
from functools import cache

import pytest
from book_rules import PATHS, ROOT, SOLUTIONS, name, read

from stablenets.book.catalogs import said_by_code
from stablenets.book.languages import COMMON, SAID
from stablenets.checks import check
from stablenets.checks.exercise import EXERCISES
from stablenets.phrases import GAPS, VERBATIM, Phrases, fill

PHRASES = Phrases(
    {
        "{} is too large": "{}太大",
        "too large by far: a factor of {}": "大得多：{} 倍",
        "the {} of {}": "{1} 的{0}",
        "default rate": "违约率",
        "first alarm": "首次警报",
        "first alarm that raised the default rate": "提高违约率的首次警报",
        "{} raised {!s}, in line {}: {!s}": "{} 在第 {2} 行 {3} 抛出 {1}",
        "{} raised {!s}": "{} 抛出 {}",
        "{}: {} of {} points": "{}：{}/{} 分",
    }
)
# One of these stands before a sentence.
BEFORE = ("", "✗ ", "  ✗ nonsense (0/2): ", "✗ f('a: b'): ")
RANDOM = random.Random(0)
VALUES = (
    lambda: f"{RANDOM.gauss(0, 1):.3g}",
    lambda: f"{RANDOM.gauss(0, 1e-9):.2g}",
    lambda: str(RANDOM.randrange(1000)),
    lambda: "drift_detector",
    lambda: "'label'",
    lambda: "answer('a: b', -1)",
    lambda: "f([1, 2.5], <3 × 4 tensor>)",
    lambda: "(3, 4)",
)
# What learners' code says, and what it says of itself.
TEXTS = ("ValueError: the size of a must match: got (", "y = x[1: 2]  # is too large, in the loss of f(1)")
# Words that are the same in every language: ids of exercises, activations, types and values of Python.
NAMES = {"linear", "sigmoid", "float", "inf", *EXERCISES}


@cache
def templates(chapter: str) -> dict[str, str]:
    """What the code of a chapter can say, with a translation that has every value in another place."""
    said = [text for catalog, text in said_by_code(ROOT) if catalog in (f"{SAID}/{COMMON}", f"{SAID}/{chapter}")]
    return {text: strange(text) for text in said}


def strange(template: str) -> str:
    gaps = reversed(range(len(GAPS.findall(template))))
    return "".join(f"{{{gap}}}|" for gap in gaps) + f"«{GAPS.sub('_', template)}»"


def verdicts(path):
    """The lines in which the checks of a committed notebook say what is right and what is not."""
    outputs = [output for cell in read(path).cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    lines = [line for text in texts for line in text.splitlines() if re.match(r"\s*[✓✗] ", line)]
    return [line for line in lines if " (expected: " not in line]


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("✗ f(2, 'a: b') is too large", "✗ f(2, 'a: b')太大"),
        ("✗ f(x): too large by far: a factor of 3", "✗ f(x): 大得多：3 倍"),
        ("  ✗ first alarm (0/2): the default rate of f(1) is too large", "  ✗ 首次警报 (0/2): f(1) 的违约率太大"),
        ("  ✓ first alarm (2/2)", "  ✓ 首次警报 (2/2)"),
        ("✗ drift-detector: 1 of 4 points", "✗ drift-detector：1/4 分"),
        ("✗ f(1) raised E: the a of b: c, in line 3: d: e", "✗ f(1) 在第 3 行 d: e 抛出 E: the a of b: c"),
        ("✗ f(1) raised E: f(x): default rate", "✗ f(1) 抛出 E: f(x): default rate"),
        ("✗ f(1): first alarm that raised the default rate", "✗ f(1): 提高违约率的首次警报"),
        ("default rate\nfirst alarm", "违约率\n首次警报"),
        ("nobody knows this: 7", "nobody knows this: 7"),
        ("", ""),
    ],
)
def test_text_is_translated_around_its_values(text, translated):
    assert PHRASES.translate(text) == translated


def test_text_of_two_meanings_stays_as_it_is():
    assert PHRASES.translate("the error of the mean of f(1)") == "f(1) 的mean 的error"
    assert len(PHRASES.read("the error of a mean of f(1)").translations) == 2
    assert PHRASES.translate("the error of a mean of f(1)") == "the error of a mean of f(1)"


@pytest.mark.parametrize("chapter", [path.stem for path in SOLUTIONS])
def test_every_template_is_found_again_with_its_values(chapter):
    known, confused = templates(chapter), []
    phrases = Phrases(known)
    for template, translation in known.items():
        gaps = GAPS.findall(template)
        for _ in range(5 if gaps else 1):
            values = [RANDOM.choice(TEXTS) if gap == VERBATIM else RANDOM.choice(VALUES)() for gap in gaps]
            text, expected = fill(template, *values), fill(translation, *values)
            confused += [b + text for b in BEFORE if "\n" not in text and phrases.translate(b + text) != b + expected]
    assert len(known) > 50
    assert confused == []


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_all_that_the_checks_of_a_notebook_have_said_is_understood_to_its_last_word(path):
    phrases, names = Phrases(templates(path.stem)), NAMES | set(re.findall(r"def (\w+)\(", str(read(path))))
    for line in verdicts(path):
        reading = phrases.read(line)
        assert reading is not None, line
        assert len(reading.translations) == 1, line
        # A call, a quotation or a name of several words is none.
        words = [re.sub(r"\w+\(.*\)|<.*>|'[^']*'|\b\w*[_-]\w[\w-]*", "", value) for value in reading.values]
        assert {word for value in words for word in re.findall("[a-z]{3,}", value)} <= names, line


@pytest.mark.parametrize("value", [None, lambda *arguments: "text", lambda *arguments: 1 / 0])
def test_what_a_learner_is_told_of_nonsense_is_understood(value):
    for exercise in (exercise for exercise in EXERCISES.values() if exercise.parts):
        lines = repr(check(exercise.id, value)).splitlines()
        phrases = Phrases(templates(exercise.chapter))
        assert [line for line in lines if phrases.translate(line) == line] == []


def test_a_long_text_that_could_be_read_in_many_ways_is_read_at_once():
    text = "the x raised y = z of a: " * 20
    assert PHRASES.translate(f"✗ f(1) raised {text}, in line 3: {text}") == f"✗ f(1) 在第 3 行 {text} 抛出 {text}"
    text = "the x of a: y is " * 20
    assert PHRASES.translate(text) == text
