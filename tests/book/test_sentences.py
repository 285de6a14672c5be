"""Sentences that code says are found in the code, and translated in its outputs."""

import ast
import json

from bs4 import BeautifulSoup
from nbformat import v4

from stablenets import plots
from stablenets.book.sentences import sentences, told, translate_outputs
from stablenets.phrases import Phrases

PHRASES = Phrases(
    {
        "{} is too large": "{}太大",
        "default rate": "违约率",
        "first alarm": "首次警报",
        "{}: {} of {} points": "{}：{}/{} 分",
        "learning rate η": "学习率 η",
        "At {}, the largest of {} is {}.": "在 {} 处，{} 个中最大的是 {}。",
    }
)
MODULE = '''
"""A docstring is no sentence."""
NAMES = ["a-key", "two words"]

@exercise.part("first alarm comes early", points=1)
def first_alarm(answer, generator):
    """Nor is this."""
    raise Mistake(f"{answer.call(1)} is {error:.2g} off: {['more', 'less'][0]} is asked for")
    print(f"{a} {b}")
    raise Mistake(f"{call} raised {error!s}: too {'much' if error > 1 else 'little'} of {('this', 'that')[index]}")
    print(N_("translated where it stands"), Value(answer, 0, "weight"))
'''


def test_templates_are_found_and_docstrings_keys_and_mere_values_are_not():
    found = set(sentences(ast.parse(MODULE)))
    asked = {f"{{}} is {{}} off: {much} is asked for" for much in ("more", "less")}
    raised = {f"{{}} raised {{!s}}: too {much} of {it}" for much in ("much", "little") for it in ("this", "that")}
    assert found == {"two words", "first alarm comes early", "weight"} | asked | raised


def test_sliders_are_found_by_their_labels_and_sentences():
    code = 'told = [f"After {x} it is {y:.2f}." for x in xs]\nplots.slider(positions, slider="step", x_label="layer")'
    assert set(told(ast.parse(code))) == {"step", "After {} it is {}."}


def test_outputs_of_checks_are_translated_line_by_line():
    outputs = [
        v4.new_output("stream", text="✗ f(1) is too large\nplain\n"),
        v4.new_output("execute_result", data={"text/plain": "✗ id: 0 of 2 points\n  ✗ first alarm (0/2)"}),
    ]
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("f is too large"), v4.new_code_cell("f()", outputs=outputs)])
    translate_outputs(notebook, PHRASES)
    text, code = notebook.cells
    assert text.source == "f is too large"
    assert code.outputs[0].text == "✗ f(1)太大\nplain\n"
    assert code.outputs[1].data["text/plain"] == "✗ id：0/2 分\n  ✗ 首次警报 (0/2)"


def test_what_a_slider_tells_is_translated_everywhere_and_its_picture_is_not():
    lines = {step: {"first alarm": [1.0, step]} for step in (1, 2, 3)}
    sentences = [f"At {step}, the largest of <2> is {step}." for step in lines]
    figure = plots.slider(lines, slider="learning rate η", told=sentences, x_label="default rate", y_label="y")
    html = figure._repr_html_()
    cell = v4.new_code_cell("figure", outputs=[v4.new_output("execute_result", data={"text/html": html})])
    translate_outputs(v4.new_notebook(cells=[cell]), PHRASES)
    moved = BeautifulSoup(cell.outputs[0].data["text/html"], "html.parser").div
    expected = [f"在 {step} 处，<2> 个中最大的是 {step}。" for step in lines]
    assert json.loads(moved["data-told"]) == expected
    assert moved.label.text.strip() == "学习率 η"
    assert moved.output.text == moved.input["aria-valuetext"] == moved.svg["aria-label"] == expected[1]
    assert "default rate" in moved.svg.text
