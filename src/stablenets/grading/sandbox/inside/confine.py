"""Linux's means to confine a process, through the C library: namespaces, private folders, limits, no privileges."""

import ctypes
import os
import resource
import socket
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x08000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION, CAPABILITIES = 0x20080522, 41
PRIVATE_FOLDERS = ("/tmp", "/student", "/dev/shm")


def call(name: str, *arguments: object) -> None:
    """Call a function of the C library that returns a negative number on failure."""
    if getattr(LIBC, name)(*arguments) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def hide_memory() -> None:
    """Let no other process of the same user read this one's memory."""
    call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)


def show_memory() -> None:
    """Undo :func:`hide_memory`, which also hides a process from itself."""
    call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """End when the process that started this one ends."""
    call("prctl", PR_SET_PDEATHSIG, 9, 0, 0, 0)


def leave_namespaces() -> None:
    """Take new mount, process and message namespaces; the next child is the first process of its own."""
    call("unshare", CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC)


def mount_private_folders(owner: int, megabytes: int) -> None:
    """Mount empty folders in memory over all that can be written, and this namespace's own ``/proc``."""
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    for folder in PRIVATE_FOLDERS:
        if sys.prefix.startswith(folder + "/"):
            continue  # Python itself is below; the folder is read-only then
        options = f"size={megabytes}m,nr_inodes=16k,mode=0700,uid={owner},gid={owner}".encode()
        call("mount", b"tmpfs", folder.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, options)
    call("mount", b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None)


def give_up_privileges(user: int | None) -> None:
    """Become ``user`` if one is given, and lose every capability for good."""
    call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(CAPABILITIES):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # refused for those that this kernel does not know
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header, none = struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)
    call("capset", header, none)
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def limit_resources(megabytes: int, file_megabytes: int, processes: int, seconds: int) -> None:
    """Bound the private memory, files, processes and processor time of this process and those it starts."""
    with open("/proc/self/status", encoding="utf-8") as status:
        used = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
    for name, limit in {
        "RLIMIT_DATA": used + megabytes * 2**20,
        "RLIMIT_FSIZE": file_megabytes * 2**20,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_NPROC": processes,
        "RLIMIT_CPU": seconds,
        "RLIMIT_CORE": 1,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_MEMLOCK": 0,
    }.items():
        resource.setrlimit(getattr(resource, name), (limit, limit))


def close_all_but(*connections: socket.socket) -> None:
    """Close every open file except those of ``connections`` and the standard three."""
    needed = {connection.fileno() for connection in connections}
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in needed:
            try:
                os.close(descriptor)
            except OSError:  # the listing's own
                continue
