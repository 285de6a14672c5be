"""Exercises of an instructor's own, such as private variants for a graded course."""

import functools
import importlib.util
from pathlib import Path


@functools.cache
def register(path: Path) -> None:
    """Run a Python file of one's own that creates :class:`~stablenets.checks.exercise.Exercise` objects, once.

    Raises:
        ValueError: the file cannot be run, or takes an id that is in use.
    """
    specification = importlib.util.spec_from_file_location("stablenets_private_exercises", path)
    if specification is None:
        raise ValueError(f"exercises must be a Python file, got {str(path)!r}")
    try:
        specification.loader.exec_module(importlib.util.module_from_spec(specification))
    except Exception as error:
        raise ValueError(f"exercises: {path} failed with {type(error).__name__}: {error}") from error
