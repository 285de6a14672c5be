"""Bring the programs that no Python package brings: ``make system``.

On Debian and Ubuntu the system's package manager installs what is missing; elsewhere it is said what to do. Only the
standard library is needed, so that it can run before anything is installed.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Program(NamedTuple):
    """A program by its name, the commands it may be called by, its package in Debian and in Ubuntu, and its use."""

    name: str
    commands: tuple[str, ...]
    debian: str
    ubuntu: str
    use: str

    def path(self) -> str | None:
        """Where it is installed, or None."""
        return next(filter(None, map(shutil.which, self.commands)), None)


BUBBLEWRAP = Program("bubblewrap", ("bwrap",), "bubblewrap", "bubblewrap", "to grade, and to test grading")
CHROMIUM = Program(
    "Chromium",
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "chromium",
    "chromium-browser",
    "to test the pages in a browser, and to print the book",
)
PROGRAMS = (BUBBLEWRAP, CHROMIUM)
APPARMOR = "kernel.apparmor_restrict_unprivileged_userns"
NAMESPACES = (
    f"this kernel forbids user namespaces: on Ubuntu, sudo sysctl -w {APPARMOR}=0; in a container, grade outside of it "
    "or as root"
)


def makes_namespaces(bubblewrap: str) -> bool:
    """Whether a command can be run apart from the rest of the machine."""
    command = [bubblewrap, "--unshare-all", "--ro-bind", "/", "/", "true"]
    return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0


def distribution(release: Path = Path("/etc/os-release")) -> str:
    """``debian`` or ``ubuntu`` where the system is one of them or made from it; else the system's own name."""
    if not release.exists():
        return platform.system()
    lines = (line.partition("=") for line in release.read_text(encoding="utf-8").splitlines())
    facts = {key: value.strip("\"'") for key, _, value in lines}
    names = [facts.get("ID", ""), *facts.get("ID_LIKE", "").split()]
    return next((name for name in names if name in ("ubuntu", "debian")), facts.get("NAME", "Linux"))


def as_root() -> list[str] | None:
    """What to put before a command so that it may change the system, or None if one may not."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    # Where nobody can type a password, only one who needs none may go on.
    asks = [sudo, "true"] if sys.stdin.isatty() else [sudo, "--non-interactive", "true"]
    return [sudo] if sudo and subprocess.run(asks, check=False, stderr=subprocess.DEVNULL).returncode == 0 else None


def install(missing: Iterable[Program], system: str, prefix: list[str]) -> None:
    """Install programs by apt-get; its own words tell what goes wrong."""
    packages = [program.ubuntu if system == "ubuntu" else program.debian for program in missing]
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    print(f"Installing {' and '.join(packages)} …", flush=True)
    subprocess.run([*quiet, "update"], check=False)
    subprocess.run([*quiet, "install", "--yes", "--no-install-recommends", *packages], check=False)


def by_hand(missing: Iterable[Program], system: str) -> str:
    """What a person has to do where this cannot be done for them."""
    if system in ("debian", "ubuntu"):
        packages = " ".join(program.ubuntu if system == "ubuntu" else program.debian for program in missing)
        return f"It takes an administrator: apt-get install {packages}"
    names = " and ".join(f"{program.name} ({program.use})" for program in missing)
    note = "" if platform.system() == "Linux" else " bubblewrap runs on Linux alone."
    return f"On {system} this is not done for you: install {names} by your own package manager.{note}"


def main() -> int:
    """Install what is missing, and say what is still missing then; the status is 1 if something is."""
    missing = [program for program in PROGRAMS if not program.path()]
    if missing:
        system = distribution()
        prefix = as_root() if system in ("debian", "ubuntu") and shutil.which("apt-get") else None
        if prefix is None:
            print(by_hand(missing, system))
        else:
            install(missing, system, prefix)
    bubblewrap = BUBBLEWRAP.path()
    if bubblewrap and not makes_namespaces(bubblewrap):
        # It loosens the protection of the whole machine: a person decides, but for a machine that lives for one run.
        if os.environ.get("CI") and (prefix := as_root()) is not None:
            subprocess.run([*prefix, "sysctl", "-w", f"{APPARMOR}=0"], check=False)
        if not makes_namespaces(bubblewrap):
            print(f"bubblewrap is here, but {NAMESPACES}")
            return 1
    absent = [program.name for program in PROGRAMS if not program.path()]
    print(f"Still missing: {' and '.join(absent)}." if absent else "bubblewrap and Chromium are here.")
    return bool(absent)


if __name__ == "__main__":
    sys.exit(main())
