"""The process that runs a submission: it executes the cells, and calls functions when it is asked to.

Whatever it says is the submission's word: the grader believes values only after the checks have looked at them.
"""

import os
import socket
import sys

from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

from stablenets.grading.sandbox import wire

LONGEST_ERROR = 300


def serve(connection: socket.socket, shell: InteractiveShell) -> None:
    """Answer requests until the grader closes the connection."""
    answers = {"run": _run, "describe": _describe, "call": _call}
    while True:
        try:
            request, *arguments = wire.receive(connection)
        except (EOFError, OSError):
            return
        reply = answers[request](shell, *arguments)
        try:
            wire.send(connection, reply)
        except wire.Malformed as error:
            wire.send(connection, ("error", "ValueError", f"the result is too large: {error}"))


def _run(shell: InteractiveShell, source: str) -> tuple:
    result = shell.run_cell(source, silent=True)
    error = result.error_before_exec or result.error_in_exec
    return _described(error) if error else ("done",)


def _describe(shell: InteractiveShell, name: str) -> tuple:
    if name not in shell.user_ns:
        return ("missing",)
    value = shell.user_ns[name]
    return ("function",) if callable(value) else ("other", type(value).__name__)


def _call(shell: InteractiveShell, name: str, arguments: tuple) -> tuple:
    try:
        with shell.builtin_trap:  # a cell has display and get_ipython, and so has what it calls
            return ("value", shell.user_ns[name](*arguments))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return _described(error)


def _described(error: BaseException) -> tuple:
    try:
        text = " ".join(str(error).split())
    except Exception:  # a class of the submission's own
        text = ""
    return ("error", type(error).__name__, text[:LONGEST_ERROR])


def prepare_shell() -> InteractiveShell:
    """Return an interactive shell that keeps no history and shows nothing."""
    HistoryManager.enabled = False
    shell = InteractiveShell.instance()
    # There is nothing to draw on, nowhere to install from and no notebook to save; a cell that asks for it goes on.
    for name in ("matplotlib", "pip", "conda", "mamba", "uv", "autosave", "clear", "connect_info", "qtconsole"):
        shell.register_magic_function(lambda line: None, magic_name=name)
    sys.path.insert(0, "")  # what a cell writes as a module can be imported, as in a notebook
    shell.showtraceback = shell.showsyntaxerror = lambda *arguments, **options: None
    return shell


def silence() -> None:
    """Send whatever the submission prints to nowhere, and let it read nothing."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode, encoding="utf-8") for number, mode in enumerate("rww"))  # noqa: SIM115
