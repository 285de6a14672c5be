"""What the tests could not run on this machine: told at the end, and a failure where STRICT is set.

A pytest plugin notes every skipped test with its reason; ``make test`` prints what all its runs have noted at the very
end. By itself: ``python tests/not_run.py`` prints it, ``python tests/not_run.py forget`` starts anew.
"""

import json
import os
import sys
from pathlib import Path

import pytest

NOTED = Path(__file__).parents[1] / "_build" / "not-run.json"


def strict() -> bool:
    """Whether a test that cannot be run is a failure."""
    return os.environ.get("STRICT", "") not in ("", "0")


def reason_of(report) -> str:
    """The words of a skip, without pytest's own before them."""
    return str(report.longrepr[2]).removeprefix("Skipped: ")


def summary(noted: dict[str, list[str]]) -> list[str]:
    """A line for each reason, the most frequent first, with the number of tests; a file not even read is one."""
    if not noted:
        return ["Everything was run: no test was skipped."]
    total = sum(map(len, noted.values()))
    lines = [f"{len(ids):6d}  {reason}" for reason, ids in sorted(noted.items(), key=lambda item: -len(item[1]))]
    return [f"Not run here ({total}), why, and what brings it; make test STRICT=1 makes each a failure:", *lines]


def noted() -> dict[str, list[str]]:
    """What earlier runs have noted."""
    return json.loads(NOTED.read_text(encoding="utf-8")) if NOTED.exists() else {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return fail_if_strict((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return fail_if_strict((yield))


def fail_if_strict(report):
    """Make a skipped report a failed one where nothing may be skipped."""
    if strict() and was_skipped(report):
        report.outcome, report.longrepr = "failed", f"not run, and STRICT is set: {reason_of(report)}"
    return report


def was_skipped(report) -> bool:
    """Whether a test or a file was not run, which is not the same as one that was expected to fail."""
    return report.skipped and not hasattr(report, "wasxfail")


def pytest_terminal_summary(terminalreporter) -> None:
    """Tell and note what was skipped, in the process that gathers the results of all workers."""
    here: dict[str, set[str]] = {}
    for report in filter(was_skipped, terminalreporter.getreports("skipped")):
        here.setdefault(reason_of(report), set()).add(report.nodeid)
    if here:
        terminalreporter.section("not run here")
        terminalreporter.write("\n".join(summary({reason: sorted(ids) for reason, ids in here.items()})) + "\n")
        before = noted()
        both = {reason: sorted(ids.union(before.get(reason, []))) for reason, ids in here.items()}
        NOTED.parent.mkdir(exist_ok=True)
        NOTED.write_text(json.dumps(before | both, indent=1), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["forget"]:
        NOTED.unlink(missing_ok=True)
    else:
        print("\n".join(summary(noted())))
