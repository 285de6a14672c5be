"""A filter in the kernel (seccomp) by which a process and its descendants lose system calls that no answer needs."""

import ctypes
import errno
import os
import struct
import sys

from stablenets.grading.sandbox.inside.confine import call

# Calls that let programs out of sandboxes before, and calls for memory that no process is charged for: their numbers on
# x86_64 and on aarch64.
DENIED = {
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "chroot": (161, 51), "delete_module": (176, 106),
    "fanotify_init": (300, 262), "finit_module": (313, 273), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fsopen": (430, 430), "fspick": (433, 433), "init_module": (175, 105), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "io_uring_setup": (425, 425), "kcmp": (312, 272), "kexec_file_load": (320, 294),
    "kexec_load": (246, 104), "keyctl": (250, 219), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429), "mq_open": (240, 180),
    "msgget": (68, 186), "open_by_handle_at": (304, 265), "open_tree": (428, 428), "perf_event_open": (298, 241),
    "personality": (135, 92), "pidfd_getfd": (438, 438), "pivot_root": (155, 41), "process_madvise": (440, 440),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60),
    "reboot": (169, 142), "request_key": (249, 218), "semget": (64, 190), "setns": (308, 268), "shmget": (29, 194),
    "swapoff": (168, 225), "swapon": (167, 224), "syslog": (103, 116), "umount2": (166, 39), "unshare": (272, 97),
    "userfaultfd": (323, 282), "vmsplice": (278, 75),
}  # fmt: skip
# By one argument: numbers, which argument, its value, and whether that value alone passes or alone is refused. No
# network namespace bounds every family of sockets. The kernel's buffers, for which no process is charged, stay as they
# start. At a core limit of one byte no core is written; at zero the kernel still starts what collects them.
ONLY, NEVER = True, False
BY_ARGUMENT = {
    "socket": ((41, 198), 0, 1, ONLY),  # AF_UNIX
    "setsockopt": ((54, 208), 2, 7, NEVER),  # SO_SNDBUF
    "setrlimit": ((160, 164), 0, 4, NEVER),  # RLIMIT_CORE
    "prlimit64": ((302, 261), 1, 4, NEVER),
}
# By machine: the kernel's name for it, its column above, and the number of clone.
MACHINES = {"x86_64": (0xC000003E, 0, 56), "aarch64": (0xC00000B7, 1, 220)}
CLONE3, CLONE_NEWUSER = 435, 0x10000000
# The first number of calls in the second numbering that x86_64 has.
SECOND_NUMBERING = 0x40000000
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2

# Steps of the kernel's filter language: (step, lines to skip if true, if false, value).
LOAD, EQUAL, ANY_BIT, AT_LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
Step = tuple[int, int, int, int]


def known_machine() -> bool:
    """Say whether the numbers of this machine's system calls are known."""
    return os.uname().machine in MACHINES and sys.byteorder == "little"


def filter_steps(machine: str) -> list[Step]:
    """Return the filter for a machine: first its numbering, then the calls, one by one."""
    audit, column, clone = MACHINES[machine]
    refuse = (RETURN, 0, 0, FAIL | errno.EPERM)
    steps = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, audit), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    steps += [(AT_LEAST, 0, 1, SECOND_NUMBERING), refuse]
    # The C library then takes clone, whose flags can be read.
    steps += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, FAIL | errno.ENOSYS)]
    for numbers in DENIED.values():
        steps += [(EQUAL, 0, 1, numbers[column]), refuse]
    for numbers, place, value, passes in BY_ARGUMENT.values():
        steps += [(EQUAL, 0, 4, numbers[column]), (LOAD, 0, 0, FIRST_ARGUMENT + 8 * place)]
        steps += [(EQUAL, passes, not passes, value), refuse, (RETURN, 0, 0, ALLOW)]
    steps += [(EQUAL, 0, 3, clone), (LOAD, 0, 0, FIRST_ARGUMENT), (ANY_BIT, 0, 1, CLONE_NEWUSER), refuse]
    return [*steps, (RETURN, 0, 0, ALLOW)]


def refuse_system_calls() -> None:
    """Refuse all these calls and new user namespaces from here on, where this machine's numbers are known."""
    if not known_machine():
        return
    steps = filter_steps(os.uname().machine)
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = ctypes.create_string_buffer(struct.pack("H6xQ", len(steps), ctypes.addressof(program)))
    call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0)
