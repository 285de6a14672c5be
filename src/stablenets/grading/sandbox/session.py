"""One submission at work in the sandbox: its cells are run once, then its functions are called by name."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from stablenets.grading.sandbox import wire
from stablenets.grading.sandbox.bubblewrap import USUAL, Limits, Process, Sandbox
from stablenets.grading.text import plain

# What a submission may run out of as a whole.
TIME = "time"
LONGEST_NAME = 60
MOST_NOTES = 50
OUT_OF_TIME = "the time for the whole notebook was used up"
ENDINGS = {"memory": "it used too much memory", "processes": "it started too many processes"}


class Stopped(Exception):
    """The submission's process ended, or was ended, before it answered."""


class Session:
    """Runs the cells of a submission and calls its functions.

    A cell or a call that takes too long or ends the process costs that cell or call only: the process is started anew
    and the other cells are run again.

    Args:
        sandbox: where to run.
        cells: sources of the code cells, in order.
        limits: on memory, files, processes and processor time.
        cell_seconds: wall time of one cell.
        call_seconds: wall time of one call.
        total_seconds: wall time of everything. If it was this that ended something, ``ran_out_of`` is ``"time"``.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        cells: Sequence[str],
        limits: Limits = USUAL,
        *,
        cell_seconds: float = 120,
        call_seconds: float = 60,
        total_seconds: float = 600,
    ) -> None:
        self.sandbox, self.cells, self.limits = sandbox, list(cells), limits
        self.cell_seconds, self.call_seconds = cell_seconds, call_seconds
        self.deadline = time.monotonic() + total_seconds
        self.notes: list[str] = []
        self.ran_out_of = ""
        self._skipped: set[int] = set()
        self._process: Process | None = None

    def function(self, name: str) -> Callable | object:
        """Return the submission's function of that name, to be called like any other.

        Raises:
            LookupError: the submission has no function of that name; the text says what it has.
            Stopped: its cells do not leave a process that answers.
        """
        match self._ask(self.cell_seconds, "describe", name):
            case ("function",):
                return _remote(self, name)
            case ("other", str(kind)):
                raise LookupError(f"{name} must be a function, got {plain(kind)}")
        raise LookupError(f"the notebook defines no function {name}")

    def call(self, name: str, arguments: tuple) -> Any:
        """Call a function of the submission; what it raises is raised here, as an error of the same name."""
        match self._ask(self.call_seconds, "call", name, arguments):
            case ("value", value):
                return _known(value)
            case ("error", str(kind), str(text)):
                raise _error(kind, text)
        raise Stopped("the notebook's process gave no answer")

    def close(self) -> str:
        """End every process of the submission and return why it had ended before, if it had."""
        process, self._process = self._process, None
        return process.end() if process else ""

    def _ask(self, seconds: float, *request: Any) -> Any:
        if self._process is None:
            self._start()
        return self._exchange(seconds, *request)

    def _start(self) -> None:
        """Start the process and run the cells, without those that ended it before."""
        while self._process is None:
            self._seconds_left()
            self._process = self.sandbox.spawn(self.limits)
            for index, source in enumerate(self.cells):
                if index in self._skipped:
                    continue
                try:
                    reply = self._exchange(self.cell_seconds, "run", source)
                except Stopped as stopped:
                    self._skipped.add(index)
                    self._note(f"code cell {index + 1} was left out: {stopped}")
                    break
                match reply:
                    case ("error", str(kind), str(text)):
                        self._note(f"code cell {index + 1} raised {plain(kind)}: {plain(text)}")

    def _exchange(self, seconds: float, *request: Any) -> Any:
        """Send a request and return the reply, or end the process and say why there was none."""
        left = self._seconds_left()
        connection, until = self._process.connection, time.monotonic() + min(seconds, left)
        try:
            connection.settimeout(min(seconds, left))
            wire.send(connection, request)
            return wire.receive(connection, until)
        except TimeoutError:
            self.close()
            if left <= seconds:
                self.ran_out_of = TIME
            raise Stopped(f"it took longer than {min(seconds, left):.3g} seconds") from None
        except wire.Malformed as error:
            self.close()
            raise Stopped(str(error)) from None
        except (EOFError, OSError):
            raise Stopped(ENDINGS.get(self.close(), "it ended its process")) from None

    def _seconds_left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.close()
            self.ran_out_of = TIME
            raise Stopped(OUT_OF_TIME)
        return left

    def _note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) <= MOST_NOTES:
            self.notes.append(text if len(self.notes) < MOST_NOTES else "and more of this kind")


def _remote(session: Session, name: str) -> Callable:
    def function(*arguments: object) -> Any:
        return session.call(name, arguments)

    function.__name__ = name
    return function


def _error(kind: str, text: str) -> Exception:
    name = re.sub(r"\W", "", kind)[:LONGEST_NAME] or "Error"
    return type(name, (Exception,), {})(plain(text))


def _known(value: Any) -> Any:
    """Give what did not cross a type of the same name, so that a check can say what it got."""
    if isinstance(value, wire.Opaque):
        return type(re.sub(r"\W", "", value.type_name) or "object", (), {})()
    if type(value) in (list, tuple):
        return type(value)(map(_known, value))
    return value
