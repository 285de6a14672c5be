"""Say what is missing on this machine for the book, its tests and grading, and what to do about it.

Run with ``make doctor``. Only the standard library is needed, so that a broken environment can be told too.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from stablenets.book import system

ROOT = Path(__file__).parents[3]
OLDEST = 3, 11
SPACE = 3  # GB for the environment and what is built


class Finding(NamedTuple):
    """What was looked at, whether it is well, and what to do if not; some things only some people need."""

    what: str
    well: bool
    advice: str = ""
    needed: bool = True


def findings(root: Path) -> Iterator[Finding]:
    """Look at one thing after another, the most basic first."""
    here = ".".join(map(str, sys.version_info[:3]))
    yield Finding(f"Python {here}", sys.version_info >= OLDEST, f"install Python {OLDEST[0]}.{OLDEST[1]} or later")
    inside = sys.prefix != sys.base_prefix
    yield Finding("an environment of its own", inside, "run make book, which makes .venv, or see the README")
    free = shutil.disk_usage(root).free / 1e9
    yield Finding(f"{free:.0f} GB free", free > SPACE, f"make room: {SPACE} GB are needed")
    if inside:
        yield from packages(root / "requirements.txt")
    yield Finding("git", bool(shutil.which("git")), "to contribute: install git", needed=False)
    for program in system.PROGRAMS:
        advice = f"{program.use}: make system, or install {program.name} yourself"
        yield Finding(program.name, bool(program.path()), advice, needed=False)
    if bubblewrap := system.BUBBLEWRAP.path():
        well = system.makes_namespaces(bubblewrap)
        yield Finding("namespaces for bubblewrap", well, system.NAMESPACES, needed=False)


def packages(requirements: Path) -> Iterator[Finding]:
    """Compare what is installed with what is pinned."""
    wrong = []
    for name, pinned in re.findall(r"^([\w.-]+)==([^\s;]+)", requirements.read_text(encoding="utf-8"), re.MULTILINE):
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        # Builds of torch for one kind of hardware name it behind a plus.
        if found.partition("+")[0] != pinned.partition("+")[0]:
            wrong.append(f"{name} {found} in place of {pinned}")
    advice = "run make clean, then make book" + (f" ({', '.join(wrong[:5])})" if wrong else "")
    yield Finding("the pinned packages", not wrong, advice)
    try:
        version("stablenets")
    except PackageNotFoundError:
        yield Finding("this package", False, "pip install --no-deps --no-build-isolation --editable .")


def main() -> int:
    """Print what was found; the status is 1 if something needed is missing."""
    found = list(findings(ROOT))
    for finding in found:
        sign = "ok     " if finding.well else "MISSING" if finding.needed else "absent "
        print(f"{sign} {finding.what}" + (f"\n        → {finding.advice}" if not finding.well else ""))
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    print(f"OMP_NUM_THREADS is {threads}; make sets it to 1, with which small tensors are fastest and outputs repeat")
    bad = [finding for finding in found if finding.needed and not finding.well]
    print(f"{len(bad)} things to do first." if bad else "All that the book and its tests need is here.")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
