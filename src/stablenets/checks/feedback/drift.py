"""A detector that reads errors one by one and says when they have become more frequent."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer, uniform
from stablenets.checks.exercise import Exercise

DRIFT = Exercise("drift-detector", chapter="feedback", minutes=30)

Stream = tuple[Tensor, float, float]

SILENT = "an alarm is missing: at some step m has risen by more than the threshold above its minimum"


def _running(errors: Tensor) -> Tensor:
    return errors.cumsum(0) / torch.arange(1, len(errors) + 1)


def _above_running_mean(errors: Tensor) -> Tensor:
    return errors - _running(errors)


def _above_earlier_mean(errors: Tensor) -> Tensor:
    return errors - torch.cat([errors[:1], _running(errors)[:-1]])


def _alarms(
    errors: Tensor,
    delta: float,
    threshold: float,
    *,
    above: Callable[[Tensor], Tensor] = _above_running_mean,
    forgets_mean: bool = True,
    from_minimum: bool = True,
    restart: int = 1,
) -> list[int]:
    """Steps of the alarms by the definition: after an alarm the rest of the stream is a new one."""
    alarms, start, whole = [], 0, above(errors)
    while start < len(errors):
        m = ((above(errors[start:]) if forgets_mean else whole[start:]) - delta).cumsum(0)
        rise = m - m.cummin(0).values.clamp(max=0) if from_minimum else m
        steps = (rise > threshold).nonzero()
        if not len(steps):
            break
        alarms.append(start + steps[0].item())
        start = alarms[-1] + restart
    return alarms


def _from_the_mean_of_now(errors: Tensor, delta: float, threshold: float) -> list[int]:
    """Alarms if at each step all errors so far are compared with the mean of that step."""
    alarms, start = [], 0
    while start < len(errors):
        sums = errors[start:].cumsum(0)
        count = torch.arange(1, len(sums) + 1)
        # Entry [n, k] is m after error k, if all errors are compared with the mean of the first n.
        m = sums - count * (sums / count + delta)[:, None]
        rise = m.diagonal() - m.tril().amin(1).clamp(max=0)
        steps = (rise > threshold).nonzero()
        if not len(steps):
            break
        start += steps[0].item() + 1
        alarms.append(start - 1)
    return alarms


def _never_forgets(errors: Tensor, delta: float, threshold: float) -> list[int]:
    m = (_above_running_mean(errors) - delta).cumsum(0)
    return (m - m.cummin(0).values > threshold).nonzero().flatten().tolist()


def _mistaken(errors: Tensor, delta: float, threshold: float) -> dict[str, list[int]]:
    """The alarms of detectors that are often taken for this one, by the name of their mistake."""
    stream = errors, delta, threshold
    right = _alarms(*stream)
    return {
        "the first error is step 0": [step + 1 for step in right],
        "steps count from the first error of all, not from the last alarm": [
            step - (last + 1) for last, step in pairwise([-1, *right])
        ],
        "after an alarm go on: the stream has more changes": right[:1],
        "after an alarm forget m and its minimum, else each later step is an alarm": _never_forgets(*stream),
        "after an alarm forget the mean as well, not m alone": _alarms(*stream, forgets_mean=False),
        "the error that raised the alarm belongs to the past: start afresh with the next one": _alarms(
            *stream, restart=0
        ),
        "no error may be left out after an alarm": _alarms(*stream, restart=2),
        "the tolerance delta is subtracted at each step": _alarms(errors, 0.0, threshold),
        "the tolerance delta is subtracted at each step, not once": _alarms(errors, 0.0, threshold + delta),
        "the tolerance delta is subtracted, not added": _alarms(errors, -delta, threshold),
        "the mean at a step includes the error of that very step": _alarms(*stream, above=_above_earlier_mean),
        "a detector knows the errors up to now alone, not the mean of the whole stream": _alarms(
            *stream, above=lambda e: e - e.mean()
        ),
        "each error is compared with the mean up to its own step, not up to the present one": _from_the_mean_of_now(
            *stream
        ),
        "m must have risen above its minimum, not fallen below its maximum": _alarms(
            errors, -delta, threshold, above=lambda e: -_above_running_mean(e)
        ),
        "m counts with its sign, so that errors below the mean pull it down": _alarms(
            *stream, above=lambda e: _above_running_mean(e).abs()
        ),
        "what counts is by how much m has risen above its minimum": _alarms(*stream, from_minimum=False),
    }


def _heard(answer: Answer, errors: Tensor, delta: float, threshold: float) -> list[int]:
    steps = answer.tensor(errors.tolist(), delta, threshold)
    if (
        steps.ndim != 1
        or len(steps) > len(errors)
        or any(step != int(step) or not 0 <= step <= len(errors) for step in steps.tolist())
    ):
        raise Mistake("the answer must be a list of steps, integers from 0, in which the alarms were raised")
    return [int(step) for step in steps.tolist()]


def _compare(answer: Answer, streams: list[Stream], *, alarms: int | None = None) -> None:
    """Require the first ``alarms`` alarms, or all of them. A mistake is named if it explains what is heard of all."""
    got = [_heard(answer, *stream)[:alarms] for stream in streams]
    right = [_alarms(*stream)[:alarms] for stream in streams]
    if got == right:
        return
    mistaken = [_mistaken(*stream) for stream in streams]
    for message in mistaken[0]:
        if got == [wrong[message][:alarms] for wrong in mistaken]:
            raise Mistake(message)
    heard, due = next((heard, due) for heard, due in zip(got, right) if heard != due)
    false = next((step for step in heard if step not in due), None)
    if false is None or len([step for step in due if step < false]) > heard.index(false):
        raise Mistake(SILENT)
    raise Mistake(
        f"the alarm at step {false} is not due: it is not the first since the last alarm at which m has risen so far"
    )


def _regular(*stretches: tuple[int, int]) -> Tensor:
    """Stretches of (length, period): one error in each period."""
    return torch.cat([(torch.arange(length) % period == period - 1).double() for length, period in stretches])


def _random(*stretches: tuple[int, float], generator: Generator) -> Tensor:
    """Stretches of (length, error rate): errors are 0 or 1."""
    draws = [torch.rand(length, dtype=torch.float64, generator=generator) < rate for length, rate in stretches]
    return torch.cat(draws).double()


@DRIFT.part(points=1)
def errors_that_grow_raise_an_alarm_and_errors_that_shrink_do_not(answer: Answer, generator: Generator) -> None:
    frequent, rare = (integer(200, 300, generator), 2), (integer(300, 400, generator), 10)
    delta, threshold = uniform(0.005, 0.02, generator), uniform(5, 15, generator)
    if not _heard(answer, _regular(rare, frequent), delta, threshold):
        raise Mistake(SILENT)
    if _heard(answer, _regular(frequent, rare), delta, threshold):
        raise Mistake("errors that become rarer are no reason for an alarm")
    for size in (0.0, 0.3, 1.0):
        if _heard(answer, torch.full((300,), size, dtype=torch.float64), delta, threshold):
            raise Mistake("errors that are all alike raise no alarm, however large they are")


@DRIFT.part(points=2)
def first_alarm_comes_at_the_right_step(answer: Answer, generator: Generator) -> None:
    streams = []
    for low, high in ((0.1, 0.3), (0.3, 0.7), (0.05, 0.5)):
        delta, threshold = uniform(0.02, 0.05, generator), uniform(8, 16, generator)
        errors = _random((integer(200, 400, generator), low), (500, high), generator=generator)
        sizes = torch.rand(len(errors), dtype=torch.float64, generator=generator)
        streams += [(errors, delta, threshold), (errors * sizes, delta, threshold / 2)]
    _compare(answer, streams, alarms=1)
    if _heard(answer, torch.tensor([0.0, 1.0]), 0.0, 0.5):
        raise Mistake("an alarm needs a rise of more than the threshold: as much is not enough")
    if _heard(answer, torch.tensor([0.0, 1.0]), 0.0, 0.4999) != [1]:
        raise Mistake("the detector judges from the first step on: nothing is waited for")


@DRIFT.part(points=1)
def later_changes_are_found_as_well(answer: Answer, generator: Generator) -> None:
    streams = []
    for _ in range(3):
        rates = [uniform(low, low + 0.05, generator) for low in (0.02, 0.3, 0.6, 0.1, 0.5, 0.9)]
        errors = _random(*((integer(150, 250, generator), rate) for rate in rates), generator=generator)
        streams.append((errors, uniform(0.01, 0.03, generator), uniform(8, 14, generator)))
    _compare(answer, streams)
