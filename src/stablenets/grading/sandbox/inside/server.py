"""A process that has imported the libraries and forks for every submission.

    python -m stablenets.grading.sandbox.inside.server CONTROL '{"confined": true, "user": 4000, "preload": ["scipy"]}'

For each submission it forks a keeper, the first process of a namespace of its own, which forks the worker. When the
grader lets go of the keeper, the keeper ends, and every process of the submission with it.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch

from stablenets.grading.sandbox import wire
from stablenets.grading.sandbox.inside import confine, system_calls, worker

WATCH_SECONDS = 0.05
# What the kernel holds for a socket that nobody reads.
OPEN_FILE = 2**18


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    confine.hide_memory()
    for module in settings["preload"]:
        importlib.import_module(module)
    torch.set_num_threads(1)
    shell = worker.prepare_shell()
    gc.collect()
    gc.freeze()
    control.sendall(b"r")
    while True:
        _reap()
        message, descriptors, _, _ = socket.recv_fds(control, 4096, 2)
        if not message:
            return
        if os.fork() == 0:
            connection, leash = (socket.socket(fileno=descriptor) for descriptor in descriptors)
            _become_keeper(connection, leash, settings, json.loads(message), shell)
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendall(b"s")


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become_keeper(connection: socket.socket, leash: socket.socket, settings: dict, limits: dict, shell: Any) -> None:
    try:
        if settings["confined"]:
            confine.leave_namespaces()
            if os.fork():
                os._exit(0)
        confine.close_all_but(connection, leash)
        os.setsid()
        reason = _keep(connection, leash, settings, limits, shell)
    except BaseException as error:
        reason = f"broken {type(error).__name__}: {error}"
    with contextlib.suppress(OSError):
        wire.send(leash, reason)
    _end_descendants()
    os._exit(0)


def _keep(connection: socket.socket, leash: socket.socket, settings: dict, limits: dict, shell: Any) -> str:
    """Start the worker and watch it; return why it ended."""
    if settings["confined"]:
        confine.mount_private_folders(settings["user"] or os.getuid(), limits["file_megabytes"])
    else:
        confine.adopt_orphans()
    ready, failed = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready)
        leash.close()
        _work(connection, settings, limits, shell, failed)
    os.close(failed)
    connection.close()
    broken = os.read(ready, 1000).decode()
    if broken:
        return f"broken {broken}"
    while True:
        if select.select([leash], [], [], WATCH_SECONDS)[0]:
            return "released"
        ended, status = os.waitpid(-1, os.WNOHANG)
        while ended and ended != child:
            ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == child:
            return f"ended {os.waitstatus_to_exitcode(status)}"
        processes, used = 0, 0
        for process in _descendants():
            processes, used = processes + 1, used + _memory(process)
        if processes > limits["processes"]:
            return "processes"
        if used > limits["megabytes"] * 2**20:
            return "memory"


def _work(connection: socket.socket, settings: dict, limits: dict, shell: Any, failed: int) -> None:
    try:
        os.setsid()
        worker.silence()
        confine.limit_resources(**limits)
        if settings["confined"]:
            confine.give_up_privileges(settings["user"])
            confine.show_memory()
            os.chdir(os.environ["HOME"])
            system_calls.refuse_system_calls()
        else:
            confine.die_with_parent()
    except BaseException as error:
        os.write(failed, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    os.close(failed)
    try:
        worker.serve(connection, shell)
    finally:
        os._exit(0)


def _descendants() -> Iterator[int]:
    """Return the processes of the submission: all but the keeper in its namespace, else its children's children."""
    own, parents = os.getpid(), {}
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) != own:
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as stat:
                parents[int(name)] = int(stat.read().rpartition(b")")[2].split()[1])
    family = {own}
    while children := {process for process, parent in parents.items() if parent in family} - family:
        family |= children
    return iter(family - {own})


def _memory(process: int) -> int:
    """Bytes that a process uses, with its share of what it shares, its page tables and what its open files may hold."""
    used = 0
    with contextlib.suppress(OSError):
        used = OPEN_FILE * len(os.listdir(f"/proc/{process}/fd"))
        for name, label in (("smaps_rollup", b"Pss:"), ("status", b"VmPTE:")):
            with open(f"/proc/{process}/{name}", "rb") as lines:
                used += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(label))
    return used


def _end_descendants() -> None:
    """End every process of the submission. In a namespace of its own the kernel does it when the keeper ends."""
    until = time.monotonic() + 10
    while (processes := list(_descendants())) and time.monotonic() < until:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        _reap()


if __name__ == "__main__":
    main()
