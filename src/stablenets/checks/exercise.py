"""What an exercise is: an entry in the registry whose parts test properties of the learner's function.

The check of an exercise stands in a module of its own, ``checks/<chapter>/<id>.py``, with underscores for hyphens::

    exercise = Exercise.of(__name__, minutes=15)


    @exercise.part("keeps the sign", points=1)
    def sign(answer: Answer, generator: Generator) -> None: ...
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from stablenets._arguments import positive_integer
from stablenets.checks.answer import Answer, Mistake, NotAnswered
from stablenets.checks.registry import Registry
from stablenets.phrases import N_, Translate, fill

EXERCISES = Registry()


class PartResult(NamedTuple):
    """One part of a check: its name, points gained and possible, and what was wrong (empty if nothing).

    ``blank`` says that it was not answered: the function returned nothing.
    """

    name: str
    points: int
    maximum: int
    message: str
    blank: bool = False


class Result(NamedTuple):
    """The outcome of a check: the exercise and its parts. Shown as text, it tells the learner what to mend."""

    exercise: str
    parts: tuple[PartResult, ...]

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def maximum(self) -> int:
        return sum(part.maximum for part in self.parts)

    @property
    def passed(self) -> bool:
        return self.points == self.maximum

    @property
    def message(self) -> str:
        """The first mistake found, or an empty string."""
        return next((part.message for part in self.parts if part.message), "")

    def score(self, name: str) -> str:
        """The points of what has this name, in words."""
        return f"{name}: {self.points} of {self.maximum} points"

    def __repr__(self) -> str:
        lines = [f"{'✓' if self.passed else '✗'} {self.score(self.exercise)}"]
        for part in self.parts:
            mark, explanation = ("✗", f": {part.message}") if part.message else ("✓", "")
            lines.append(f"  {mark} {part.name} ({part.points}/{part.maximum}){explanation}")
        return "\n".join(lines)


class Part(NamedTuple):
    """One part of a check: what the learner reads, its points, and the test, which raises Mistake to fail."""

    name: str
    points: int
    test: Callable[[Answer, torch.Generator], None]


@dataclass
class Exercise:
    """An exercise of the course. Creating it enters it in the registry.

    Args:
        id: unique slug, such as ``"lyapunov-exponent"``.
        chapter: slug of its chapter, which is also the name of its notebook in ``solutions/``.
        minutes: time a learner should plan for.
        manual_points: points that a person gives by the rubric (open questions); 0 if a machine gives them all.
    """

    id: str
    chapter: str
    minutes: int
    manual_points: int = 0
    parts: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        positive_integer("minutes", self.minutes)
        EXERCISES[self.id] = self

    @classmethod
    def of(cls, module: str, *, minutes: int, manual_points: int = 0) -> "Exercise":
        """Create the exercise whose check a module of this package holds: its name is the id, its folder the chapter.

        Args:
            module: ``__name__``, such as ``"stablenets.checks.lars.zero_head"``.
            minutes: as above.
            manual_points: as above.
        """
        chapter, id = module.replace("_", "-").split(".")[-2:]
        return cls(id, chapter, minutes, manual_points)

    @property
    def points(self) -> int:
        return self.manual_points + sum(part.points for part in self.parts)

    def summary(self, translate: Translate = str) -> str:
        """Points, minutes and who marks it, in words."""
        points = N_("1 point") if self.points == 1 else N_("{} points")
        minutes = N_("1 minute") if self.minutes == 1 else N_("{} minutes")
        marked = N_("check {}") if self.parts else N_("open question")
        facts = {points: str(self.points), minutes: str(self.minutes), marked: repr(self.id)}
        return " · ".join(fill(translate(template), value) for template, value in facts.items())

    def part(self, name: str, *, points: int) -> Callable:
        """Decorate ``test(answer, generator)``: it passes by returning and fails by raising :class:`Mistake`.

        Args:
            name: what the learner reads of the part, such as ``"large gradients keep their direction"``.
            points: that it gives.
        """
        positive_integer("points", points)

        def register(test: Callable[[Answer, torch.Generator], None]) -> Callable[[Answer, torch.Generator], None]:
            self.parts.append(Part(name, points, test))
            return test

        return register

    def run(self, function: Callable, seed: int) -> Result:
        """Test ``function`` on inputs drawn with ``seed``. Parts are independent: each gives its points or none."""
        if not self.parts:
            raise ValueError(f"exercise {self.id!r} is an open question: it is marked by a person, with its rubric")
        return Result(self.id, tuple(self.run_part(index, function, seed) for index in range(len(self.parts))))

    def run_part(self, index: int, function: Callable, seed: int) -> PartResult:
        """Test ``function`` on the inputs that one part draws with ``seed``."""
        part = self.parts[index]
        try:
            part.test(Answer(function), torch.Generator().manual_seed(1000 * seed + index))
        except Mistake as mistake:
            # A check may have put a mistake into other words.
            blank = any(isinstance(error, NotAnswered) for error in (mistake, mistake.__cause__))
            return PartResult(part.name, 0, part.points, str(mistake), blank)
        return PartResult(part.name, part.points, part.points, "")
