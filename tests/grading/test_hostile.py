"""Hostile submissions run in the sandbox: they gain nothing, reach nothing and leave nothing."""

import time

import pytest
from hostile import ENDLESS, HOSTILE, PROBES, STAYS
from sandboxed import LIMITS, PATIENCE, asked, mebibytes, needs_bubblewrap, processor_seconds

from stablenets.checks.exercise import EXERCISES
from stablenets.grading import marking
from stablenets.grading.sandbox import bubblewrap
from stablenets.grading.sandbox.inside import system_calls
from stablenets.grading.sandbox.session import Session

SEED = 987_654_321
RIGHT = "import math\ndef uniform_bound(variance):\n    return math.sqrt(3 * variance)"
TOTAL = 30
# What never ends is not waited for as long as what other limits may end.
CLOCK, OTHERS = {"call_seconds": 1}, {"cell_seconds": 3, "call_seconds": 3}
pytestmark = needs_bubblewrap


def points(marks):
    return [mark.points for mark in marks]


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_submission_gains_nothing_and_the_next_is_graded(box, attack):
    one = asked("initialization", "uniform-bound")
    before = time.monotonic()
    with mebibytes(300):
        seconds = CLOCK if attack in ENDLESS else OTHERS
        marks, notes, _ = marking.mark(
            box, [HOSTILE[attack]], one, lambda exercise: SEED, LIMITS, total_seconds=TOTAL, **seconds
        )
    # All its time, and what the end of its processes may take.
    assert time.monotonic() - before < TOTAL + bubblewrap.START_SECONDS
    assert attack not in ENDLESS or "longer than 1 seconds" in marks[0].message
    assert points(marks) == [0] * len(marks)
    assert all(mark.message for mark in marks)
    assert all(text.isprintable() and len(text) < 2000 for text in [*notes, *(mark.message for mark in marks)])
    fair, _, _ = marking.mark(box, [RIGHT], one, lambda exercise: SEED, LIMITS)
    assert sum(points(fair)) == sum(part.points for part in EXERCISES["uniform-bound"].parts)


@pytest.mark.skipif(
    not system_calls.known_machine(),
    reason="no filter of system calls for this processor: run the tests on x86_64 or aarch64",
)
@pytest.mark.parametrize("probe", PROBES)
def test_a_submission_reaches_nothing_outside(box, secret, probe):
    one = Session(box, [PROBES[probe]], LIMITS, call_seconds=PATIENCE)
    assert one.function("probe")(secret) == []
    assert one.close() == ""


def test_a_submission_leaves_nothing_for_the_next_one(session):
    state = """if True:
        import os, sys, threading, torch, numpy
        def state():
            tops = ('/course', '/student', '/tmp', '/dev/shm', '/etc')
            # Python itself may lie below one of them, and has too many files to tell.
            walks = (walk for top in tops for walk in os.walk(top) if not walk[0].startswith(sys.prefix))
            files = [f'{folder}/{f}' for folder, _, files in walks for f in files]
            paths = [module.__file__ for module in list(sys.modules.values()) if getattr(module, '__file__', None)]
            times = [os.stat(path).st_mtime_ns for path in paths if os.path.isabs(path)]
            processes = len([p for p in os.listdir('/proc') if p.isdigit()])
            objects = [abs, sum, torch.allclose, numpy.allclose, torch.get_default_dtype()]
            return [sorted(files), times, processes, threading.active_count(), sorted(os.environ), sys.path,
                    sorted(sys.modules), [str(o).split(' at ')[0] for o in objects]]
    """
    before = session(state)
    first = before.function("state")()
    before.close()
    between = session(STAYS)
    assert between.function("left")() == 1
    assert between.notes == []
    between.close()
    assert session(state).function("state")() == first


COSTLY = {
    "relu-moments": "import torch\ndef relu_moments(tau): return torch.zeros(2**22, dtype=torch.uint8)",
    "drift-detector": "import torch\ndef drift_alarms(*a): return torch.zeros(2**22, dtype=torch.uint8)",
    "exact-ties": "def exact_descent(w, v, *a): return [[['1e3000000'] * len(w[0])] * len(w), ['1e3000000'] * len(v)]",
    "two-worlds": "import torch\ndef two_worlds(*a): return torch.zeros(2**22, dtype=torch.uint8)",
    "name-the-shift": "def name_the_shift(*a): return 'none' * 10**5",
}


@pytest.mark.parametrize("exercise", COSTLY)
def test_what_an_answer_returns_costs_the_grader_little(box, exercise):
    one = asked(EXERCISES[exercise].chapter, exercise)
    # Of this process alone: what runs in the sandbox does not count.
    with processor_seconds(3), mebibytes(400):
        marks, _, _ = marking.mark(box, [COSTLY[exercise]], one, lambda exercise: SEED)
    assert set(points(marks)) == {0}
