"""Where exercises are found: the check of each is a module, named by its id, in the folder of its chapter."""

import functools
import importlib
import pkgutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stablenets.checks.exercise import Exercise


class Registry(MutableMapping[str, "Exercise"]):
    """The exercises by their ids; a module is imported when its exercise is asked for.

    The order means nothing: the notebook of a chapter states that of its exercises.
    """

    def __init__(self) -> None:
        self._entered: dict[str, Exercise] = {}

    def __getitem__(self, id: str) -> "Exercise":
        if id not in self._entered and id in _modules():
            importlib.import_module(_modules()[id])
        return self._entered[id]

    def __setitem__(self, id: str, exercise: "Exercise") -> None:
        # An id of the course counts as taken before its module is imported, but not while that creates the exercise.
        if id in self:
            raise ValueError(f"id must be unique among the exercises, got {id!r} a second time")
        self._entered[id] = exercise

    def __delitem__(self, id: str) -> None:
        del self._entered[id]

    def __iter__(self) -> Iterator[str]:
        return iter({**_modules(), **self._entered})

    def __len__(self) -> int:
        return len(_modules().keys() | self._entered.keys())


@functools.cache
def _modules() -> dict[str, str]:
    """Return the names of the modules by the ids of their exercises; names with ``_`` in front are private."""
    return modules(Path(__file__).parent, __package__)


def modules(folder: Path, package: str) -> dict[str, str]:
    """Return the names of the modules that hold exercises, by the ids of these.

    Args:
        folder: of a package that has one package for each chapter.
        package: its name.

    Raises:
        ValueError: two chapters have an exercise of the same id.
    """
    found: dict[str, str] = {}
    for chapter in (module.name for module in pkgutil.iter_modules([str(folder)]) if module.ispkg):
        for name in (module.name for module in pkgutil.iter_modules([str(folder / chapter)])):
            if name.startswith("_"):
                continue
            id, path = name.replace("_", "-"), f"{package}.{chapter}.{name}"
            if id in found:
                raise ValueError(f"id must be unique among the exercises, got {id!r} in {found[id]} and in {path}")
            found[id] = path
    return found
