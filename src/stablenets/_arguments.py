"""Checks of arguments, so that every error names the argument, its value and what was expected."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor


def positive_integer(name: str, value: object) -> int:
    """Return ``value`` if it is an integer ≥ 1, else raise.

    >>> positive_integer("depth", 0)
    Traceback (most recent call last):
    ValueError: depth must be a positive integer, got 0
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return value


def positive(name: str, value: float) -> float:
    """Return ``value`` as a float if it is finite and > 0, else raise."""
    if not _is_real(value) or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be a positive finite number, got {value!r}")
    return float(value)


def non_negative(name: str, value: float) -> float:
    """Return ``value`` as a float if it is finite and ≥ 0, else raise."""
    if not _is_real(value) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a finite number ≥ 0, got {value!r}")
    return float(value)


def within(name: str, value: float, low: float, high: float) -> float:
    """Return ``value`` as a float if ``low`` ≤ ``value`` ≤ ``high``, else raise."""
    if not _is_real(value) or not low <= value <= high:
        raise ValueError(f"{name} must be a number in [{low}, {high}], got {value!r}")
    return float(value)


def choice(name: str, value: object, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``, else raise and list them.

    >>> choice("mode", "fan", ["fan_in", "fan_out"])
    Traceback (most recent call last):
    ValueError: mode must be one of 'fan_in', 'fan_out', got 'fan'
    """
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def finite(name: str, tensor: Tensor) -> Tensor:
    """Return ``tensor`` if it is a tensor without NaN and infinity, else raise."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(tensor).__name__}")
    # Much faster where it suffices; a sum that overflows proves nothing.
    if torch.isfinite(tensor.sum()):
        return tensor
    bad = int((~torch.isfinite(tensor)).sum())
    if bad:
        raise ValueError(f"{name} must be finite, got {bad} NaN or infinite of {tensor.numel()} entries")
    return tensor


def _is_real(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
