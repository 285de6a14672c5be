"""Claims that are checked when the book is built: a claim that fails stops the build."""

import html
import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

MIME_TYPE = "application/vnd.stablenets.claim+json"


class ClaimError(AssertionError):
    """A claim did not hold for the values that were measured."""


class Claim(NamedTuple):
    """A statement, what was measured for it (one value, or one a seed), what it was held against, and its source."""

    statement: str
    measured: tuple[float, ...]
    expectation: str
    source: str

    @property
    def summary(self) -> str:
        """One value, or mean, spread and range of all measured values, in words."""
        if len(self.measured) == 1:
            return f"{self.measured[0]:.4g}"
        values = torch.tensor(self.measured, dtype=torch.float64)  # statistics.stdev cannot take NaN and infinity
        mean, spread, low, high = (statistic.item() for statistic in (values.mean(), values.std(), *values.aminmax()))
        return f"{mean:.3g} ± {spread:.2g}, from {low:.3g} to {high:.3g} ({len(self.measured)} values)"

    def __repr__(self) -> str:
        # Without the measured value: this text is committed and compared, so it must be the same on every processor.
        return f"✓ {self.statement} (expected: {self.expectation})"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, object]:
        facts = {**self._asdict(), "summary": self.summary}
        shown = {name: html.escape(str(value)) for name, value in facts.items()}
        card = ("<p>✓ {statement}<br><small>measured {summary} · expected {expectation} · {source}</small></p>").format(
            **shown
        )
        return {"text/plain": repr(self), "text/html": card, MIME_TYPE: facts}


def claim(
    statement: str,
    measured: float | Tensor | Iterable[float],
    *,
    expected: float | None = None,
    tolerance: float | None = None,
    relative: float | None = None,
    above: float | None = None,
    below: float | None = None,
    source: str,
) -> Claim:
    r"""Assert a statement about measured numbers and return it for display.

    Every value must satisfy :math:`|m - e| \le t` for ``expected`` :math:`e`, where :math:`t` is ``tolerance`` or
    ``relative`` :math:`\cdot |e|` (0 if neither is given), or else ``above`` :math:`< m <` ``below``.

    Args:
        statement: what is claimed, as a sentence without its final full stop.
        measured: one number, or one a seed: then every one of them must hold.
        expected: the value that theory or the source gives.
        tolerance: largest absolute deviation from ``expected``.
        relative: largest deviation as a fraction of ``expected``.
        above: exclusive lower bound.
        below: exclusive upper bound.
        source: where the statement is proved, or who published it.

    Returns:
        The claim. Make it the last line of a cell: that shows it and lists it on the page of all claims.

    Raises:
        ClaimError: a measured value does not satisfy it, or is NaN.
        ValueError: nothing to compare with, or nothing measured.

    >>> claim("Three coins agree one time in four", 0.26, expected=0.25, tolerance=0.02, source="counting")
    ✓ Three coins agree one time in four (expected: 0.25 ± 0.02)
    >>> claim("Two is large", 2, above=3, source="nobody")
    Traceback (most recent call last):
    stablenets.claims.ClaimError: Two is large: measured 2, expected: above 3
    """
    values = _values(measured)
    low, high, expectation = _interval(expected, tolerance, relative, above, below)
    inclusive = expected is not None
    holds = all(low <= value <= high if inclusive else low < value < high for value in values)
    result = Claim(statement, values, expectation, source)
    if not holds:
        raise ClaimError(f"{statement}: measured {result.summary}, expected: {expectation}")
    return result


def _values(measured: float | Tensor | Iterable[float]) -> tuple[float, ...]:
    if isinstance(measured, Tensor):
        measured = measured.detach().flatten().tolist()
    values = tuple(float(value) for value in measured) if isinstance(measured, Iterable) else (float(measured),)
    if not values:
        raise ValueError("measured must hold at least one number, got none")
    return values


def _told(bound: float) -> str:
    """Six digits of a bound; more where they would make a whole number of what is none, such as 1.000001."""
    short = f"{bound:.6g}"
    return short if float(short) == bound or not float(short).is_integer() else f"{bound:.10g}"


def _interval(expected, tolerance, relative, above, below) -> tuple[float, float, str]:
    """The interval that the arguments ask for, with its description."""
    if (expected is None) == (above is None and below is None):
        raise ValueError("a claim needs either expected, or above and/or below")
    if expected is None:
        if tolerance is not None or relative is not None:
            raise ValueError("tolerance and relative belong to expected")
        bounds = [f"{word} {_told(bound)}" for word, bound in (("above", above), ("below", below)) if bound is not None]
        return -math.inf if above is None else above, math.inf if below is None else below, " and ".join(bounds)
    if tolerance is not None and relative is not None:
        raise ValueError("give tolerance or relative, not both")
    if relative is not None:
        tolerance, described = relative * abs(expected), f"{expected:.6g} ± {100 * relative:.3g} %"
    elif tolerance is not None:
        described = f"{expected:.6g} ± {tolerance:.3g}"
    else:
        tolerance, described = 0.0, f"exactly {expected:.6g}"
    return expected - tolerance, expected + tolerance, described
