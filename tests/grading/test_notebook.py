"""The bytes of any file become the code to run and the words on open questions, or a reason why not."""

import json

import nbformat
import pytest
import submissions
from book_rules import SOLUTIONS
from sandboxed import assignments, processor_seconds

from stablenets.grading.notebook import MOST_CELLS, Unreadable, read
from stablenets.grading.student import OPEN_ANSWER, role

ASSIGNMENTS = assignments()
OPEN = "two-standard-deviations"
# Processor seconds for what takes one at most here, and hours if each letter were looked at once for each other.
QUICK = 10


def blank(chapter="initialization"):
    return submissions.blank(chapter)


def text(notebook):
    return nbformat.writes(notebook).encode()


def raw(**changes):
    return json.dumps(json.loads(text(blank())) | changes).encode()


def bare(*cells):
    """Without what tells the chapter."""
    return raw(cells=list(cells), metadata={})


def code_cell(source):
    return {"cell_type": "code", "source": source, "metadata": {}}


def test_every_student_notebook_is_read_without_a_note():
    for path in SOLUTIONS:
        found = read(text(blank(path.stem)), ASSIGNMENTS)
        assert found.chapter == path.stem
        assert found.notes == ()
        assert all(words == "" for _, words in found.texts)
        assert not any("google.colab" in source for source in found.code)
        assert len(found.code) >= len([q for q in ASSIGNMENTS[path.stem].questions if q.function])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\x89PNG\r\n", "not text in UTF-8"),
        (b"hello", "not a whole notebook"),
        (text(blank())[:3000], "not a whole notebook"),
        (b"[" * 10**6, "nested too deeply"),
        (b'{"a":' * 10**5, "nested too deeply"),
        (b'{"nbformat": ' + b"9" * 10**5 + b"}", "too large a number"),
        (b"null", "does not say its format"),
        (b"[]", "does not say its format"),
        (b'{"nbformat": "4"}', "does not say its format"),
        (b'{"nbformat": 5, "cells": []}', "format 5, which is not known"),
        (b"\xe9" + text(blank()), "not text in UTF-8"),
        (b'{"nbformat": 3}', "no cells"),
        (b'{"nbformat": 3, "worksheets": 7}', "no cells"),
        (b'{"nbformat": 3, "worksheets": [7, {"cells": 7}, {"cells": []}]}', "no cells"),
        (b'{"nbformat": 3, "worksheets": [{"cells": [' + b"{}," * 10**6 + b"{}]}]}", "1000001 cells"),
        (b'{"nbformat": 2}', "format 2, which is not known"),
        (b'{"nbformat": -1}', "format -1, which is not known"),
        (b'{"nbformat": true}', "format True, which is not known"),
        (b'{"nbformat": 4}', "no cells"),
        (raw(cells=[]), "no cells"),
        (raw(cells={"a": 1}), "no cells"),
        (raw(cells=[{"cell_type": "code", "source": ""}] * (MOST_CELLS + 1)), "2001 cells"),
        (bare(1, None, "x", [], {"cell_type": []}, {"cell_type": "code", "source": 5}), "answers no exercise"),
        (bare({"cell_type": "code", "source": "x = 1\n\ndef f():\n    return x"}), "answers no exercise"),
        (bare({"cell_type": "raw", "source": "def relu_moments(tau): ..."}), "answers no exercise"),
    ],
)
def test_what_cannot_be_graded_says_why_and_quickly(content, reason):
    with processor_seconds(QUICK), pytest.raises(Unreadable, match=reason):
        read(content, ASSIGNMENTS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_other_encodings_are_understood(encoding):
    assert read(text(blank()).decode().encode(encoding), ASSIGNMENTS).chapter == "initialization"


@pytest.mark.parametrize(
    "metadata",
    [None, 7, [], {}, {"kernelspec": 3}, {"kernelspec": {"language": ["R"]}}, {"kernelspec": {"name": "gone"}}],
)
def test_metadata_of_any_kind_do_no_harm(metadata):
    assert read(raw(metadata=metadata), ASSIGNMENTS).chapter == "initialization"


def test_cells_metadata_of_any_kind_do_no_harm():
    cells = json.loads(text(blank()))["cells"]
    strange = [
        5,
        None,
        [],
        {"stablenets": 3},
        {"stablenets": {"exercise": [1], "role": {}}},
        {"tags": 5},
        {"tags": [[]]},
    ]
    for index, cell in enumerate(cells):
        cell["metadata"] = strange[index % len(strange)]
        cell.pop("id", None)
    assert read(raw(cells=cells), ASSIGNMENTS).chapter == "initialization"


def test_old_format_is_read_too():
    old = nbformat.convert(blank(), 3)
    found, same = read(json.dumps(old).encode(), ASSIGNMENTS), read(text(blank()), ASSIGNMENTS)
    assert found == same._replace(notes=("the notebook has the old format 3",))


def test_large_outputs_cost_little():
    notebook = blank()
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="x" * 9 * 2**20)]
    content = text(notebook)
    with processor_seconds(1):
        read(content, ASSIGNMENTS)


def test_sources_that_are_lists_and_lone_surrogates():
    cells = json.loads(text(blank()))["cells"]
    cells.append({"cell_type": "code", "source": ["a = 1\n", 7, "b = '\ud800'"]})
    assert read(raw(cells=cells), ASSIGNMENTS).code[-1] == "a = 1\nb = '?'"


@pytest.mark.parametrize("lost", ["metadata", "metadata and checks"])
def test_chapter_is_told_without_metadata_by_checks_and_by_functions(lost):
    notebook = blank()
    if "checks" in lost:
        notebook.cells = [cell for cell in notebook.cells if role(cell) != "check"]
    for cell in notebook.cells:
        cell.metadata = {}
    assert read(text(notebook), ASSIGNMENTS).chapter == "initialization"


def test_chapter_of_most_exercises_counts():
    one, two = blank("initialization"), blank("feedback")
    one.cells += two.cells[:8]
    found = read(text(one), ASSIGNMENTS)
    assert found.chapter == "initialization"
    assert "does not have" in found.notes[-1]


@pytest.mark.parametrize("source", ["a:\n" * 10**5, "check(" + " " * 10**5, "def " * 10**5, "x" * 10**6, "(" * 10**5])
def test_sources_made_to_be_slow_are_read_in_time(source):
    with processor_seconds(QUICK), pytest.raises(Unreadable):
        read(bare(code_cell(source)), ASSIGNMENTS)


def words(notebook):
    return dict(read(text(notebook), ASSIGNMENTS).texts)[OPEN]


def index_of_answer(notebook):
    return next(i for i, cell in enumerate(notebook.cells)
                if role(cell) == "answer" and cell.metadata.stablenets.exercise == OPEN)  # fmt: skip


@pytest.mark.parametrize("metadata_lost", [False, True])
def test_words_on_an_open_question_also_in_cells_that_the_student_added(metadata_lost):
    notebook = blank()
    at = index_of_answer(notebook)
    notebook.cells[at].source = "It is not.\x07"
    notebook.cells.insert(at + 1, nbformat.v4.new_markdown_cell("## More\nBecause of $x$."))
    notebook.cells.insert(at + 2, nbformat.v4.new_code_cell("0.95 * 3"))
    if metadata_lost:
        for cell in notebook.cells:
            cell.metadata = {}
    assert words(notebook) == "It is not.\n\n## More\nBecause of $x$.\n\n```\n0.95 * 3\n```"


def test_words_below_the_hint_or_below_the_placeholder_count():
    notebook = blank()
    at = index_of_answer(notebook)
    assert role(notebook.cells[at - 1]) == "hint"
    notebook.cells[at - 1].source += "\n\nFirst."
    notebook.cells[at].source += "\n\nSecond."
    assert words(notebook) == "First.\n\nSecond."


@pytest.mark.parametrize("place", ["attachment:image.png", "data:image/png;base64," + "A" * 10**5])
def test_picture_leaves_room_for_words(place):
    notebook = blank()
    notebook.cells[index_of_answer(notebook)].source = f"See\n\n![my sheet]({place})\n\nabove."
    assert words(notebook) == "See\n\n[a picture: see the notebook]\n\nabove."


@pytest.mark.parametrize("piece", ["![](data:", "![", "<details><summary>Hint</summary>", OPEN_ANSWER, "## "])
def test_words_made_to_be_slow_are_read_in_time(piece):
    notebook = blank()
    notebook.cells[index_of_answer(notebook)].source = piece * (10**6 // len(piece))
    with processor_seconds(QUICK):
        words(notebook)


def test_placeholder_and_empty_cell_are_no_words():
    notebook = blank()
    assert notebook.cells[index_of_answer(notebook)].source == OPEN_ANSWER
    assert words(notebook) == ""
    notebook.cells[index_of_answer(notebook)].source = " \n"
    assert words(notebook) == ""


def test_words_are_cut_where_they_are_endless():
    notebook = blank()
    notebook.cells[index_of_answer(notebook)].source = "x" * 10**6
    assert len(words(notebook)) < 21_000
    assert words(notebook).endswith("(cut: the answer is too long)")


def test_missing_and_repeated_cells_are_noted():
    cells = json.loads(text(blank()))["cells"]
    checks = [cell for cell in cells if cell["metadata"].get("stablenets", {}).get("role") == "check"]
    first, second = (check["metadata"]["stablenets"]["exercise"] for check in checks[:2])
    cells = [cell for cell in cells if cell is not checks[0]] + [checks[1]]
    assert read(raw(cells=cells), ASSIGNMENTS).notes == (
        f"1 of {len(checks)} check cells are missing: {first}",
        f"check cells stand there more than once: {second}",
    )


@pytest.mark.parametrize("ids", [["same"], ["a", "b"], [None], [7], [[]]])
def test_ids_of_cells_do_not_matter(ids):
    cells = json.loads(text(blank()))["cells"]
    for index, cell in enumerate(cells):
        cell["id"] = ids[index % len(ids)]
    assert read(raw(cells=cells), ASSIGNMENTS) == read(text(blank()), ASSIGNMENTS)


def test_line_for_colab_is_left_out_but_not_what_was_merged_with_it():
    cells = json.loads(text(blank()))["cells"]
    (colab,) = (cell for cell in cells if "google.colab" in str(cell["source"]))
    colab["source"] = [*colab["source"], "\n", "import math"]
    found = read(raw(cells=cells), ASSIGNMENTS).code
    assert found[0] == "\nimport math"
    assert found[1:] == read(text(blank()), ASSIGNMENTS).code


@pytest.mark.parametrize("place", [{"kernelspec": {"language": "R"}}, {"language_info": {"name": "R"}}])
def test_other_language_is_noted_since_metadata_decide_nothing(place):
    found = read(raw(metadata=place), ASSIGNMENTS)
    assert found == read(text(blank()), ASSIGNMENTS)._replace(
        notes=("the notebook says that it is written in R, not in Python",)
    )


def test_file_of_an_editor_that_does_not_know_utf_8_is_read_with_a_note():
    content = json.dumps(json.loads(raw(cells=[code_cell("relu_moments = lambda é: 1")])), ensure_ascii=False)
    found = read(content.encode("latin-1"), ASSIGNMENTS)
    assert found.code == ("relu_moments = lambda é: 1",)
    assert "not in UTF-8" in found.notes[0]


def test_chapter_is_as_stated_where_nothing_else_tells_it():
    stated = {"stablenets": {"chapter": "feedback"}}
    assert read(raw(cells=[code_cell("x = 1")], metadata=stated), ASSIGNMENTS).chapter == "feedback"
    for other in ("gone", 7, [], None):
        with pytest.raises(Unreadable):
            read(raw(cells=[code_cell("x = 1")], metadata={"stablenets": {"chapter": other}}), ASSIGNMENTS)


def test_open_questions_do_not_count_as_functions_that_are_defined():
    """Chapters with open questions would win whatever a notebook defines."""
    found = read(bare(code_cell("x = 1\n\ndef relu_moments(tau):\n    return x")), ASSIGNMENTS)
    assert found.chapter == "initialization"


def test_notes_are_few_short_and_plain():
    cells = [code_cell(f"check('\x1b{number}')\ncheck('unknown-{number}')") for number in range(1500)]
    for number, cell in enumerate(cells):
        cell["metadata"] = {"stablenets": {"exercise": f"<b>\x1b[31m\u202e{number}", "role": "answer"}}
    notes = read(raw(cells=cells), ASSIGNMENTS).notes
    assert len(notes) <= 5
    assert all(len(note) < 500 and note.isprintable() for note in notes)
