"""The door to the checks: by the id of the exercise."""

import difflib
from collections.abc import Callable

from stablenets.checks.exercise import EXERCISES, Exercise, Result


def exercise(id: str) -> Exercise:
    """Look up an exercise by its id.

    Raises:
        TypeError: not a string.
        ValueError: no such exercise, with the nearest ids.
    """
    if not isinstance(id, str):
        raise TypeError(f"id must be a string, the id of an exercise, got {type(id).__name__}")
    if id not in EXERCISES:
        near = difflib.get_close_matches(id, EXERCISES, n=3, cutoff=0.6)
        hint = "did you mean " + " or ".join(map(repr, near)) + "?" if near else "known are " + ", ".join(EXERCISES)
        raise ValueError(f"id must be the id of an exercise, got {id!r}; {hint}")
    return EXERCISES[id]


def check(id: str, answer: Callable, *, seed: int = 0) -> Result:
    """Check an answer and say what is right about it and what is not.

    The check draws its inputs with ``seed``. A grader runs this very check with seeds of its own, so an answer that
    only knows the inputs of this one gains nothing.

    Args:
        id: the id of the exercise, as its statement gives it.
        answer: your function.
        seed: any integer ≥ 0; other seeds try other inputs.

    Returns:
        The points of each part, and a message for each part that is not right yet.

    >>> result = check("uniform-bound", lambda variance: variance**0.5)
    >>> result.points, result.maximum
    (0, 2)
    >>> result.message.split(": ")[1]
    'a uniform number rarely comes near its bound'
    """
    return exercise(id).run(answer, seed)
