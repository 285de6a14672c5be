import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from stablenets.checks.exercise import EXERCISES
from stablenets.masters.student_notebook import derive, write_all


def cell(source, role, kind=new_code_cell):
    return kind(source, metadata={"stablenets": {"exercise": "critical-sigmoid", "role": role}, "tags": ["hide-input"]})


def text(source, role):
    return cell(source, role, new_markdown_cell)


ANSWER = 'def half(x):\n    """Halve."""\n    ### BEGIN SOLUTION\n    y = x / 2\n    return y\n    ### END SOLUTION'


def test_solution_becomes_an_ellipsis_at_its_place():
    (student,) = derive(new_notebook(cells=[cell(ANSWER, "answer")])).cells
    assert student.source == 'def half(x):\n    """Halve."""\n    ...'


@pytest.mark.parametrize("source", ["def f(x):\n    return x", ANSWER + "\n\n" + ANSWER, ANSWER.replace("END", "AND")])
def test_answer_without_exactly_one_marked_solution_is_refused(source):
    with pytest.raises(ValueError, match="exactly one solution"):
        derive(new_notebook(cells=[cell(source, "answer")]))


def test_what_tells_the_answer_stays_with_the_master():
    cells = [text("s", role) for role in ("statement", "discussion", "rubric")] + [cell("w", "wrong")]
    assert [c.metadata.stablenets.role for c in derive(new_notebook(cells=cells)).cells] == ["statement"]


def test_markup_of_the_book_becomes_plain_markdown():
    source = "(exercise-x)=\n## X\n\n{exercise}`critical-sigmoid`\n\n:::{dropdown} Hint\nThink.\n:::"
    (student,) = derive(new_notebook(cells=[text(source, "statement")])).cells
    assert student.source.startswith("## X\n\n*5 points · ")
    assert student.source.endswith("<details><summary>Hint</summary>\n\nThink.\n\n</details>")


def test_open_question_leaves_room_for_an_answer():
    (student,) = derive(new_notebook(cells=[text("Because.", "answer")])).cells
    assert student.source == "*Write your answer here.*"


def test_metadata_tell_the_chapter_and_the_functions_asked_for():
    student = derive(new_notebook(cells=[cell(ANSWER, "answer"), cell('check("critical-sigmoid", half)', "check")]))
    assert student.metadata.stablenets == {
        "chapter": EXERCISES["critical-sigmoid"].chapter,
        "functions": {"critical-sigmoid": "half"},
    }


def test_master_is_left_as_it_is():
    master = new_notebook(cells=[cell(ANSWER, "answer")])
    derive(master)
    assert master.cells[0].source == ANSWER


@pytest.fixture
def solutions(tmp_path):
    folder = tmp_path / "solutions"
    folder.mkdir()
    for name in "ab":
        nbformat.write(new_notebook(cells=[cell(ANSWER, "answer")]), folder / f"{name}.ipynb")
    return folder


@pytest.mark.parametrize(("chapters", "written"), [((), ["a.ipynb", "b.ipynb"]), (("b",), ["b.ipynb"])])
def test_one_notebook_is_written_for_each_master_that_is_asked_for(solutions, tmp_path, chapters, written):
    paths = list(write_all(solutions, tmp_path / "students", chapters))
    assert [path.name for path in paths] == written
    assert "..." in nbformat.read(paths[0], as_version=4).cells[0].source


def test_unknown_chapter_and_folder_without_masters_are_refused(solutions, tmp_path):
    with pytest.raises(ValueError, match="chapters must be among a, b, got c"):
        list(write_all(solutions, tmp_path / "students", ["a", "c"]))
    with pytest.raises(ValueError, match="which has none"):
        list(write_all(tmp_path, tmp_path / "students"))
    assert not (tmp_path / "students").exists()
