"""Known wrong answers and other right ones, shown in the solutions and held to what they must get."""

from collections.abc import Callable
from typing import NamedTuple

from stablenets.checks.exercise import Result
from stablenets.checks.run import check


class Proof(NamedTuple):
    """A function that a check must reject with a message holding ``says``, or accept (``says`` is None)."""

    exercise: str
    function: Callable
    says: str | None

    def hold(self, seed: int = 0) -> Result:
        """Run the check and return its result, or raise AssertionError if the verdict is not the stated one."""
        result = check(self.exercise, self.function, seed=seed)
        if self.says is None and not result.passed:
            raise AssertionError(f"{self.function.__name__} is right but was rejected with seed {seed}:\n{result}")
        if self.says is not None and (result.passed or self.says not in result.message):
            raise AssertionError(
                f"{self.function.__name__} must be told {self.says!r} with seed {seed}, got:\n{result}"
            )
        return result


PROOFS: list[Proof] = []


def wrong(exercise: str, says: str) -> Callable[[Callable], Callable]:
    """Decorate a known wrong answer: it is checked at once, and the check's words to the learner are printed.

    Args:
        exercise: id of the exercise.
        says: what the first message must contain: the name of the mistake.

    Raises:
        AssertionError: the check accepts the answer, or says something else.
    """
    return _record(exercise, says)


def alternative(exercise: str) -> Callable[[Callable], Callable]:
    """Decorate another right answer: it is checked at once.

    Raises:
        AssertionError: the check rejects it.
    """
    return _record(exercise, None)


def _record(exercise: str, says: str | None) -> Callable[[Callable], Callable]:
    def register(function: Callable) -> Callable:
        proof = Proof(exercise, function, says)
        result = proof.hold()
        PROOFS.append(proof)
        print(f"✗ {result.message}" if says else f"✓ {result.score(function.__name__)}")
        return function

    return register
