"""Claims that are checked when the book is built: a claim that fails stops the build."""

import html
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from stablenets.phrases import N_, Translate, fill

MIME_TYPE = "application/vnd.stablenets.claim+json"
BOUNDS = ("expected", "tolerance", "relative", "above", "below")


class ClaimError(AssertionError):
    """A claim did not hold for the values that were measured."""


class Claim(NamedTuple):
    """A statement with what was measured for it and what that was held against, as it was stated.

    Attributes:
        statement: what is claimed.
        measured: one value, or one a seed.
        source: where the statement is proved, or who published it.
        expected: the value that theory or the source gives, or None where bounds were given.
        tolerance: largest absolute deviation from ``expected``, if one was given.
        relative: largest deviation as a fraction of ``expected``, if one was given.
        above: exclusive lower bound, if one was given.
        below: exclusive upper bound, if one was given.
    """

    statement: str
    measured: tuple[float, ...]
    source: str
    expected: float | None = None
    tolerance: float | None = None
    relative: float | None = None
    above: float | None = None
    below: float | None = None

    @property
    def inclusive(self) -> bool:
        """Whether a value may equal :attr:`low` or :attr:`high`."""
        return self.expected is not None

    @property
    def low(self) -> float:
        """The end below which, or up to which, no value may lie; minus infinity if there is none."""
        if self.expected is None:
            return -math.inf if self.above is None else self.above
        return self.expected - self._deviation

    @property
    def high(self) -> float:
        """The end above which, or from which on, no value may lie; infinity if there is none."""
        if self.expected is None:
            return math.inf if self.below is None else self.below
        return self.expected + self._deviation

    @property
    def _deviation(self) -> float:
        return (self.tolerance or 0.0) if self.relative is None else self.relative * abs(self.expected)

    @property
    def holds(self) -> bool:
        """Whether every measured value lies between :attr:`low` and :attr:`high`."""
        if self.inclusive:
            return all(self.low <= value <= self.high for value in self.measured)
        return all(self.low < value < self.high for value in self.measured)

    def summary(self, translate: Translate = str) -> str:
        """One value, or mean, spread and range of all measured values, in words."""
        if len(self.measured) == 1:
            return f"{self.measured[0]:.4g}"
        values = torch.tensor(self.measured, dtype=torch.float64)  # statistics.stdev cannot take NaN and infinity
        mean, spread, low, high = (statistic.item() for statistic in (values.mean(), values.std(), *values.aminmax()))
        numbers = f"{mean:.3g}", f"{spread:.2g}", f"{low:.3g}", f"{high:.3g}", str(len(values))
        return fill(translate(N_("{} ± {}, from {} to {} ({} values)")), *numbers)

    def expectation(self, translate: Translate = str) -> str:
        """What the values are held against, in words."""
        if self.expected is None:
            template = N_("above {}") if self.below is None else N_("above {} and below {}")
            template = N_("below {}") if self.above is None else template
            return fill(translate(template), *(_told(each) for each in (self.above, self.below) if each is not None))
        if self.relative is not None:
            return f"{self.expected:.6g} ± {100 * self.relative:.3g} %"
        if self.tolerance is not None:
            return f"{self.expected:.6g} ± {self.tolerance:.3g}"
        return fill(translate(N_("exactly {}")), f"{self.expected:.6g}")

    def numbers(self, translate: Translate = str) -> str:
        """What was measured and what was expected, in words."""
        measured = fill(translate(N_("measured {}")), self.summary(translate))
        expected = fill(translate(N_("expected {}")), self.expectation(translate))
        return f"{measured} · {expected}"

    @property
    def fields(self) -> dict[str, object]:
        """What stands in an output as JSON; infinity and NaN, for which JSON has no number, are text there."""
        numbers = {name: _to_json(bound) for name, bound in self._asdict().items() if name in BOUNDS}
        measured = [_to_json(value) for value in self.measured]
        return {"statement": self.statement, "measured": measured, "source": self.source, **numbers}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Claim":
        """Return the claim that has these :attr:`fields`."""
        numbers = {name: None if fields[name] is None else float(fields[name]) for name in BOUNDS}
        return cls(fields["statement"], tuple(map(float, fields["measured"])), fields["source"], **numbers)

    def __repr__(self) -> str:
        # Without the measured value: this text is committed and compared, so it must be the same on every processor.
        return f"✓ {self.statement} (expected: {self.expectation()})"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, object]:
        statement, numbers, source = map(html.escape, (self.statement, self.numbers(), self.source))
        card = f"<p>✓ {statement}<br><small>{numbers} · {source}</small></p>"
        return {"text/plain": repr(self), "text/html": card, MIME_TYPE: self.fields}


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
    _require_comparison(expected, tolerance, relative, above, below)
    bounds = (None if each is None else float(each) for each in (expected, tolerance, relative, above, below))
    result = Claim(statement, _values(measured), source, *bounds)
    if not result.holds:
        raise ClaimError(f"{statement}: measured {result.summary()}, expected: {result.expectation()}")
    return result


def _values(measured: float | Tensor | Iterable[float]) -> tuple[float, ...]:
    if isinstance(measured, Tensor):
        measured = measured.detach().flatten().tolist()
    values = tuple(float(value) for value in measured) if isinstance(measured, Iterable) else (float(measured),)
    if not values:
        raise ValueError("measured must hold at least one number, got none")
    return values


def _to_json(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def _told(bound: float) -> str:
    """Six digits of a bound; more where they would make a whole number of what is none, such as 1.000001."""
    short = f"{bound:.6g}"
    return short if float(short) == bound or not float(short).is_integer() else f"{bound:.10g}"


def _require_comparison(expected, tolerance, relative, above, below) -> None:
    if (expected is None) == (above is None and below is None):
        raise ValueError("a claim needs either expected, or above and/or below")
    if expected is None and (tolerance is not None or relative is not None):
        raise ValueError("tolerance and relative belong to expected")
    if tolerance is not None and relative is not None:
        raise ValueError("give tolerance or relative, not both")
