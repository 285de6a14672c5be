import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stablenets import checks
from stablenets.checks import check
from stablenets.checks.answer import Answer, Mistake, Value
from stablenets.checks.exercise import EXERCISES, Exercise
from stablenets.checks.proof import Proof
from stablenets.checks.registry import modules
from stablenets.checks.run import exercise


@pytest.fixture
def square():
    """An exercise in two parts, removed from the registry afterwards."""
    exercise = Exercise("square", chapter="none", minutes=5)

    @exercise.part("squares numbers", points=2)
    def numbers(answer, generator):
        x = torch.rand((), generator=generator, dtype=torch.float64).item() + 2
        answer.expect(x, value=x * x, mistakes={"this is the double, not the square": 2 * x})

    @exercise.part("squares zero", points=1)
    def zero(answer, generator):
        answer.expect(0.0, value=0.0, absolute=1e-12)

    yield exercise
    del EXERCISES["square"]


def test_parts_give_their_points_independently(square):
    result = check("square", lambda x: 2 * x)
    assert (result.points, result.maximum, result.passed) == (1, 3, False)


def test_known_mistake_is_named_in_what_the_learner_reads(square):
    def double(x):
        return 2 * x

    assert "double, not the square" in str(check("square", double))
    assert "double(" in str(check("square", double))


def test_other_seeds_draw_other_inputs(square):
    seen = []
    for seed in (0, 1, 0):
        check("square", lambda x: seen.append(x), seed=seed)
    assert seen[0] != seen[2]
    assert seen[0] == seen[4]


def test_expected_value_is_never_told(square):
    message = check("square", lambda x: x * x + 1).message
    assert "too large" in message
    assert len(message.split("=")) == 2


def test_an_error_in_the_answer_is_reported_not_raised(square):
    assert "raised ZeroDivisionError: integer division or modulo by zero" in check("square", lambda x: 1 // 0).message


def said(function, *arguments) -> str:
    with pytest.raises(Mistake) as caught:
        Answer(function)(*arguments)
    return str(caught.value)


def test_an_error_in_the_answer_is_told_with_its_line():
    def scale(w, variance):
        return torch.eye(3) @ varianc  # noqa: F821

    line = scale.__code__.co_firstlineno + 1
    told = f"in line {line}: return torch.eye(3) @ varianc # noqa: F821"
    assert said(scale, 3, 1.0) == f"scale(3, 1) raised NameError: name 'varianc' is not defined, {told}"
    assert told in said(torch.no_grad()(scale), 3, 1.0)
    assert told in said(lambda: scale(3, 1.0)), "the innermost line of the same file"


def test_an_error_is_told_without_a_line_where_none_is_known():
    namespace = {}
    exec("def divide(x):\n    return 1 // x", namespace)
    assert said(namespace["divide"], 0) == "divide(0) raised ZeroDivisionError: integer division or modulo by zero"
    assert "in line" not in said(exercise, 3), "a function of the package stands for one in another process"


def test_arguments_are_told_whole_if_they_are_few():
    def fans(kind, shape, groups):
        raise ValueError

    assert said(fans, "conv", [16, 15, 2, 5], 4).startswith("fans('conv', [16, 15, 2, 5], 4) raised")
    assert said(fans, "conv", list(range(8)), 4).startswith("fans('conv', [0, 1, 2, 3, 4, 5, 6, 7], 4) raised")
    assert said(fans, "conv", list(range(9)), 4).startswith("fans('conv', [0, 1, 2, …], 4) raised")


def test_one_of_several_values_is_judged_whatever_the_others_are():
    answer = Answer(lambda: (2, [float("nan"), "text"]))
    Value(answer, 0, "mean", shapes=[(), (2,)]).expect(value=2.0)
    with pytest.raises(Mistake, match="the spread of <lambda>\\(\\) must return numbers"):
        Value(answer, 1, "spread", shapes=[(), (2,)]).tensor()
    with pytest.raises(Mistake, match="value \\[1\\] of <lambda>\\(\\) must return numbers"):
        answer.tensors(shapes=[(), (2,)])


def test_unknown_exercise_names_its_neighbours(square):
    with pytest.raises(ValueError, match=r"got 'sqare'; did you mean 'square'"):
        check("sqare", lambda: 0)


@pytest.mark.parametrize("id", ["square", "zero-head"])
def test_ids_are_unique(square, id):
    with pytest.raises(ValueError, match=f"'{id}' a second time"):
        Exercise(id, chapter="none", minutes=1)


def test_each_module_registers_the_exercise_of_its_name_and_no_other():
    of_modules = modules(Path(checks.__file__).parent, checks.__name__)
    exercises = {id: importlib.import_module(module).exercise for id, module in of_modules.items()}
    assert exercises == dict(EXERCISES)
    for id, module in of_modules.items():
        chapter, name = module.split(".")[-2:]
        assert (id, exercises[id].id) == (name.replace("_", "-"),) * 2
        assert exercises[id].chapter == chapter.replace("_", "-")


def test_check_imports_the_module_of_its_exercise_alone():
    code = (
        "import sys; from stablenets.checks import check; before = set(sys.modules)\n"
        "check('uniform-bound', abs); print(*sorted(set(sys.modules) - before))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    found = [name for name in printed.split() if name.startswith("stablenets.checks.") and name.count(".") == 3]
    assert found == ["stablenets.checks.initialization.uniform_bound"]


def test_id_that_two_chapters_use_is_refused(tmp_path):
    for path in ("one/__init__.py", "one/sums.py", "two/__init__.py", "two/_shared.py", "two/more_sums.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    assert modules(tmp_path, "course") == {"sums": "course.one.sums", "more-sums": "course.two.more_sums"}
    (tmp_path / "two/sums.py").touch()
    with pytest.raises(ValueError, match=r"'sums' in course\.one\.sums and in course\.two\.sums"):
        modules(tmp_path, "course")


def test_open_question_cannot_be_checked():
    Exercise("essay", chapter="none", minutes=5, manual_points=3)
    try:
        with pytest.raises(ValueError, match="'essay' is an open question"):
            check("essay", lambda: 0)
    finally:
        del EXERCISES["essay"]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([1.0, 2.0], "must have a single number, got the shape (2,)"),
        (float("inf"), "is not finite"),
        ("many", "must return numbers, got str"),
        (None, "not answered yet"),
        (..., "not answered yet"),
    ],
)
def test_result_of_the_wrong_kind_is_a_mistake(result, message):
    with pytest.raises(Mistake) as caught:
        Answer(lambda: result).number()
    assert message in str(caught.value)


def test_a_pair_may_be_an_array():
    for pair in (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]).numpy(), (1, 2)):
        assert Answer(lambda pair=pair: pair).tensors(shapes=[(), ()])[1] == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: 10**400, "too large"),
        (lambda: exit(), "SystemExit"),
        (lambda: torch.tensor(1j), "complex"),
        (lambda: ["yes"], "numbers"),
        (lambda: int("x" * 100_000), "ValueError"),
    ],
)
def test_whatever_the_answer_does_becomes_one_short_line(function, message):
    with pytest.raises(Mistake, match=message) as caught:
        Answer(function).number()
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_an_id_that_is_no_string_is_refused_by_name():
    with pytest.raises(TypeError, match="id must be"):
        check(lambda: 0, "square")


def test_answer_may_change_its_arguments_without_changing_what_it_is_held_against():
    weights = [torch.ones(2), torch.ones(3)]
    Answer(lambda tensors: [tensor.zero_() for tensor in tensors])(weights)
    assert all(torch.equal(weight, torch.ones_like(weight)) for weight in weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64])
def test_result_may_be_of_any_number_type(dtype):
    Answer(lambda: torch.tensor([1, 2], dtype=dtype)).expect(value=torch.tensor([1.0, 2.0]))


def test_result_may_be_numpy_or_a_list():
    Answer(lambda: torch.ones(2, dtype=torch.float64).numpy()).expect(value=torch.ones(2))
    Answer(lambda: [1, 1]).expect(value=torch.ones(2))


def test_proof_fails_when_the_message_does_not_name_the_mistake(square):
    with pytest.raises(AssertionError, match="must be told 'half'"):
        Proof("square", lambda x: 2 * x, "half").hold()


def test_proof_fails_when_a_right_answer_is_rejected(square):
    with pytest.raises(AssertionError, match="is right but was rejected"):
        Proof("square", lambda x: x, None).hold()


def test_proof_fails_when_a_wrong_answer_is_accepted(square):
    with pytest.raises(AssertionError, match="must be told"):
        Proof("square", lambda x: x * x, "").hold()
