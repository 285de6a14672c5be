"""The marks in cells are read the same in masters, in student notebooks and in what a class hands in."""

import pytest

from stablenets.masters import cells


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('check("double", double)', ("double", "double")),
        ("check( 'double' ,\n  answer = twice, seed=3)", ("double", "twice")),
        ('check("double", lambda x: 2 * x)', ("double", "")),
        ('check("double", functions[0])', ("double", "")),
        ('check("double")', ("double", "")),
    ],
)
def test_check_of_a_student_names_its_exercise_and_the_function_if_it_has_a_name(source, named):
    assert cells.CHECK.findall(source) == [named]


@pytest.mark.parametrize(
    "metadata", [{}, None, 7, {"stablenets": None}, {"stablenets": "role"}, {"stablenets": ["role"]}]
)
def test_metadata_of_any_kind_state_nothing(metadata):
    assert cells.stated(metadata, "role") is None


def test_hint_of_the_book_is_the_one_below_which_a_student_may_write():
    hint = cells.plain_dropdowns(":::{dropdown} Hint\nThink.\n:::")
    assert cells.written(f"{hint}\n\nBecause.").strip() == "Because."


def test_line_for_colab_is_found_again_where_a_cell_was_merged_with_it():
    line = cells.colab_cell("https://example.org/repository")
    assert cells.COLAB_LINE.sub("", f"x = 1\n{line}\ny = 2") == "x = 1\n\ny = 2"


def test_marks_around_a_solution_are_left_out_with_their_lines():
    source = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    assert cells.without_marks(source) == "def f():\n    return 1\n"
    assert cells.without_solution(source) == "def f():\n    ...\n"
