"""Start processes that can do no harm: bubblewrap around a server that forks one for every submission."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from stablenets.grading.sandbox import wire
from stablenets.grading.sandbox.file_system import environment, mounts, write_package
from stablenets.grading.sandbox.inside import system_calls

# Above every user of a usual machine. Grading as root, each process that grades takes a number of its own.
FIRST_USER = 2_000_000_000
START_SECONDS = 120


class SandboxError(RuntimeError):
    """The sandbox could not be started, or did not do its work."""


class Limits(NamedTuple):
    """What one submission may use: memory and files in MiB, processes, and processor seconds of each process."""

    megabytes: int = 2048
    file_megabytes: int = 64
    processes: int = 64
    seconds: int = 600


# Ample for anything that the exercises ask.
USUAL = Limits()


class Process(NamedTuple):
    """A submission's process: the line to it, and the leash that ends it and all it started when it is let go."""

    connection: socket.socket
    leash: socket.socket

    def end(self) -> str:
        """End every process of the submission and return why it had ended before, if it had."""
        self.connection.close()
        with contextlib.suppress(OSError):
            self.leash.shutdown(socket.SHUT_WR)
        self.leash.settimeout(START_SECONDS)
        with self.leash:
            try:
                reason = wire.receive(self.leash)
                while self.leash.recv(1):  # closed when the keeper, and so everything under it, has ended
                    pass
            except (EOFError, OSError, wire.Malformed):
                reason = "broken keeper"
        if reason.startswith("broken"):
            raise SandboxError(f"the sandbox failed: {reason}")
        return "" if reason == "released" else reason


def program() -> str | None:
    """Return the path of bubblewrap, or None where it is missing or may not be used."""
    path = shutil.which("bwrap")
    if path is None or sys.platform != "linux":
        return None
    trial = [path, *_namespaces(), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/true"]
    return path if subprocess.run(trial, capture_output=True, env={}).returncode == 0 else None


def _namespaces() -> list[str]:
    own = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    rights = ["CAP_SYS_ADMIN", "CAP_SETPCAP", "CAP_SYS_PTRACE", "CAP_KILL"]
    if os.geteuid() == 0:
        # Root can be someone else inside, with rights on nothing; with a user namespace it could not.
        rights += ["CAP_SETUID", "CAP_SETGID", "CAP_SYS_RESOURCE"]
    else:
        own += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    return [*own, "--cap-drop", "ALL", *(word for right in rights for word in ("--cap-add", right))]


class Sandbox:
    """A server inside the sandbox, from which the processes of submissions are forked.

    Args:
        preload: modules to import once, before any submission.
        confined: False runs submissions without protection, with the rights of this process.

    Raises:
        SandboxError: bubblewrap is missing or may not be used here, or the server does not start.
    """

    def __init__(self, preload: tuple[str, ...] = (), *, confined: bool = True) -> None:
        program = required_program() if confined else ""
        self._closing = contextlib.ExitStack()
        folder = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="stablenets-")))
        folder.chmod(0o755)
        user = FIRST_USER + os.getpid() if confined and os.geteuid() == 0 else None
        write_package(folder / "course", user)
        self._control, theirs = socket.socketpair()
        self._closing.callback(self._control.close)
        settings = {"confined": confined, "user": user, "preload": preload}
        server = ["-m", "stablenets.grading.sandbox.inside.server", str(theirs.fileno()), json.dumps(settings)]
        python = [program, *_namespaces(), *mounts(folder), sys.executable] if confined else [sys.executable]
        # Bubblewrap starts with nothing: what it had could be read inside.
        variables = {} if confined else {**environment(), "PYTHONPATH": str(folder / "course"), "HOME": str(folder)}
        with theirs, open(folder / "errors", "w+b") as errors:
            self._server = subprocess.Popen(
                [*python, *server],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, cwd="/",
                env=variables,
                pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip
            self._closing.callback(self._stop)
            theirs.close()
            try:
                self._await(b"r")
            except SandboxError as error:
                errors.seek(0)
                last_lines = errors.read().decode(errors="replace").strip().splitlines()[-3:]
                self._closing.close()
                raise SandboxError(f"the sandbox did not start: {' / '.join(last_lines) or error}") from error

    def spawn(self, limits: Limits) -> Process:
        """Fork a process for one submission."""
        (connection, theirs), (leash, other) = socket.socketpair(), socket.socketpair()
        with theirs, other:
            try:
                socket.send_fds(
                    self._control, [json.dumps(limits._asdict()).encode()], [theirs.fileno(), other.fileno()]
                )
                self._await(b"s")
            except (OSError, SandboxError) as error:
                connection.close()
                leash.close()
                raise SandboxError(f"the server in the sandbox is gone: {error}") from error
        return Process(connection, leash)

    def close(self) -> None:
        """End the server and everything in the sandbox."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _await(self, word: bytes) -> None:
        self._control.settimeout(START_SECONDS)
        try:
            answer = self._control.recv(1)
        except TimeoutError as error:
            raise SandboxError(f"no answer within {START_SECONDS} seconds") from error
        if answer != word:
            raise SandboxError("it ended")

    def _stop(self) -> None:
        self._server.kill()
        self._server.wait()


def required_program() -> str:
    """Return the path of bubblewrap.

    Raises:
        SandboxError: it is missing or may not be used here.
    """
    path = program()
    if path is None:
        raise SandboxError(
            "bubblewrap (the command bwrap) is needed to run submissions, and it is missing or may not make "
            "namespaces here; install it, or pass --unsafe-no-sandbox to run them with all your rights"
        )
    return path


def protection(confined: bool) -> tuple[str, ...]:
    """Say what protects this machine from submissions, a line for each means."""
    if not confined:
        return ("NONE: submissions run with your rights, your files and your network",)
    return (
        "bubblewrap: no network, read-only system, only Python and the course's tools in sight, empty environment",
        "as user "
        + (f"{FIRST_USER} and above, who owns nothing" if os.geteuid() == 0 else "in a namespace of its own"),
        "each submission: own processes, home and temporary folder; limits on memory, files, processes and time",
        "system calls: "
        + ("a filter" if system_calls.known_machine() else f"no filter for this machine ({os.uname().machine})"),
    )
