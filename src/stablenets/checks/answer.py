"""The learner's function as a check sees it: called with plain values, its results converted and compared.

Only plain values go in and out (numbers, strings, tensors, and lists of them), so that the same check can call a
function that runs in another process.
"""

import inspect
import linecache
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

PACKAGE = Path(__file__).parents[1]
LONGEST_ERROR = 300
LONGEST_LINE = 100
LONGEST_LIST = 8


class Mistake(Exception):
    """What is wrong with an answer, in words that help the learner mend it."""


class NotAnswered(Mistake):
    """There is no answer yet: the function returned nothing, as the empty stub does."""


class Answer:
    """Wraps the learner's function; every way in which it can fail becomes a :class:`Mistake`."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "your answer")

    def __call__(self, *arguments: object) -> object:
        """Call the function and return its result, which must not be None or ``...`` (the empty stub)."""
        if not callable(self.function):
            raise Mistake(f"the answer must be a function, got {type(self.function).__name__}")
        try:
            # The function gets copies: it may change them without changing what it is held against.
            result = self.function(*map(_copy, arguments))
        except (Exception, SystemExit) as error:
            call, said, place = self.call(*arguments), _describe_error(error), _place(self.function, error)
            if place is None:
                raise Mistake(f"{call} raised {said!s}") from error
            raise Mistake(f"{call} raised {said!s}, in line {place[0]}: {place[1]!s}") from error
        if result is None or result is ...:
            raise NotAnswered(f"{self.call(*arguments)} returned nothing: not answered yet?")
        return result

    def call(self, *arguments: object) -> str:
        """The call as a learner would write it, with large tensors abbreviated."""
        return f"{self.name}({', '.join(map(_describe, arguments))})"

    def tensor(self, *arguments: object, shape: Sequence[int] | None = None) -> Tensor:
        """Call the function and return its result as a finite float64 tensor, of ``shape`` if one is given."""
        return _to_tensor(self(*arguments), self.call(*arguments), shape)

    def values(self, *arguments: object, count: int) -> Sequence[object]:
        """Call the function and return its result, a list, tuple or array of ``count`` values, as it is."""
        result = self(*arguments)
        many = isinstance(result, (list, tuple)) or (isinstance(result, (Tensor, np.ndarray)) and result.ndim > 0)
        # Counted before anything is taken apart: there may be millions.
        if not many or len(result) != count:
            found = f"{len(result)}" if many else type(result).__name__
            raise Mistake(f"{self.call(*arguments)} must return {count} values, got {found}")
        return result

    def tensors(self, *arguments: object, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
        """Call the function and return its result, a list, tuple or array, as finite float64 tensors of ``shapes``."""
        items, call = self.values(*arguments, count=len(shapes)), self.call(*arguments)
        return [_to_tensor(item, f"value [{i}] of {call}", shape) for i, (item, shape) in enumerate(zip(items, shapes))]

    def number(self, *arguments: object) -> float:
        """Call the function and return its result as a finite float."""
        return self.tensor(*arguments, shape=()).item()

    def expect(
        self,
        *arguments: object,
        value: float | Tensor,
        relative: float = 1e-6,
        absolute: float = 0.0,
        mistakes: Mapping[str, float | Tensor] | None = None,
    ) -> None:
        """Call the function and require ``value`` within a tolerance.

        Args:
            arguments: of the call.
            value: the right result.
            relative: tolerance as a fraction of the largest entry of ``value``.
            absolute: tolerance added to that.
            mistakes: known wrong results by the message that names the mistake. The right value is never told.

        Raises:
            Mistake: with the message of the wrong result that the answer equals, or by how much it is off.
        """
        expected = torch.as_tensor(value, dtype=torch.float64)
        got = self.tensor(*arguments, shape=expected.shape)
        if _near(got, expected, relative, absolute):
            return
        for message, wrong in (mistakes or {}).items():
            if _near(got, torch.as_tensor(wrong, dtype=torch.float64), relative, absolute):
                raise Mistake(f"{self.call(*arguments)}: {message}")
        raise Mistake(_deviation(self.call(*arguments), got, expected))


class Value(Answer):
    """One of the values that an answer returns together, judged whatever the others are."""

    def __init__(self, answer: Answer, index: int, what: str, shapes: Sequence[Sequence[int]] = ((), ())) -> None:
        super().__init__(answer.function)
        self.whole, self.index, self.what, self.shapes = answer, index, what, shapes

    def __call__(self, *arguments: object) -> Tensor:
        item = self.whole.values(*arguments, count=len(self.shapes))[self.index]
        return _to_tensor(item, self.call(*arguments), self.shapes[self.index])

    def call(self, *arguments: object) -> str:
        return f"the {self.what} of {super().call(*arguments)}"


def _to_tensor(value: object, where: str, shape: Sequence[int] | None) -> Tensor:
    try:
        tensor = torch.as_tensor(_detached(value), dtype=torch.float64)
    except OverflowError as error:
        raise Mistake(f"{where} is too large for a floating-point number") from error
    except Exception as error:  # a learner's own type can raise anything
        raise Mistake(f"{where} must return numbers, got {_kind(value)}") from error
    if shape is not None and tensor.shape != torch.Size(shape):
        wanted = "a single number" if len(shape) == 0 else f"the shape {tuple(shape)}"
        raise Mistake(f"{where} must have {wanted}, got the shape {tuple(tensor.shape)}")
    if not torch.isfinite(tensor).all():
        raise Mistake(f"{where} is not finite: it holds NaN or infinity")
    return tensor


def _detached(value: object) -> object:
    if _is_complex(value):
        raise TypeError("the imaginary part would be lost")
    if isinstance(value, Tensor):
        return value.detach()
    return [_detached(item) for item in value] if isinstance(value, (list, tuple)) else value


def _is_complex(value: object) -> bool:
    return isinstance(value, (Tensor, np.ndarray)) and "complex" in str(value.dtype)


def _near(got: Tensor, expected: Tensor, relative: float, absolute: float) -> bool:
    if got.shape != expected.shape:
        return False
    scale = expected.abs().max().item() if expected.numel() else 0.0
    return bool(((got - expected).abs() <= relative * scale + absolute).all())


def nearly(what: str) -> str:
    """What to say of a value that agrees to float32 only."""
    return f"{what} has five digits right, but more are asked for: is something rounded, or computed in float32?"


def _deviation(call: str, got: Tensor, expected: Tensor) -> str:
    if _near(got, expected, relative=1e-5, absolute=0.0):
        return nearly(call)
    if got.ndim:
        wrong = (got - expected).abs().max().item() / max(expected.abs().max().item(), 1e-300)
        return f"{call} is off by up to {wrong:.2g} times the largest true entry"
    if got.item() * expected.item() < 0:
        return f"{call} = {got.item():.4g} has the wrong sign"
    if abs(got.item()) > abs(expected.item()):
        return f"{call} = {got.item():.4g} is too large in absolute value"
    return f"{call} = {got.item():.4g} is too small in absolute value"


def _kind(value: object) -> str:
    """The type of a value, and for a list or tuple the types that it holds."""
    kind = ("complex " if _is_complex(value) else "") + type(value).__name__
    if isinstance(value, (list, tuple)):
        kind += " of " + " and ".join(sorted({type(item).__name__ for item in value}))
    return kind


def _describe_error(error: BaseException) -> str:
    """The type of an error and its text, on one line of moderate length."""
    text = _one_line(str(error), LONGEST_ERROR)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(function: Callable, error: BaseException) -> tuple[int, str] | None:
    """The innermost line that an error passed in the file of the learner's function: its number and what it says."""
    file = getattr(getattr(inspect.unwrap(function), "__code__", None), "co_filename", str(PACKAGE))
    # A function of this package stands for one that runs in the grader's other process.
    if Path(file).is_relative_to(PACKAGE):
        return None
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    text = _one_line(linecache.getline(file, lines[-1]), LONGEST_LINE) if lines else ""
    return (lines[-1], text) if text else None


def _one_line(text: str, longest: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[:longest] + " …"


def _copy(value: object) -> object:
    if isinstance(value, Tensor):
        return value.clone()
    return [_copy(item) for item in value] if isinstance(value, (list, tuple)) else value


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        if value.numel() <= 4:
            return str([round(entry, 4) for entry in value.flatten().tolist()]) if value.ndim else f"{value.item():.4g}"
        return f"<{' × '.join(map(str, value.shape))} tensor>"
    if isinstance(value, (list, tuple)):
        shown = value if len(value) <= LONGEST_LIST else value[:3]
        return "[" + ", ".join(map(_describe, shown)) + (", …]" if len(value) > len(shown) else "]")
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
