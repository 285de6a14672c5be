"""Submissions run in the sandbox: right ones get full marks, hostile ones gain nothing and touch nothing."""

import os
import resource
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from book_rules import ROOT, SOLUTIONS, name
from hostile import HOSTILE, PROBES, STAYS

from stablenets.checks import check
from stablenets.checks.exercise import EXERCISES
from stablenets.grading import marking
from stablenets.grading.sandbox import bubblewrap, wire
from stablenets.grading.sandbox.inside import system_calls
from stablenets.grading.sandbox.session import Session, Stopped
from stablenets.masters import assignment
from stablenets.masters.cells import role
from stablenets.masters.student_notebook import derive

SEED = 987_654_321
LIMITS = bubblewrap.Limits(megabytes=600, file_megabytes=8, processes=24, seconds=30)
TIMES = {"cell_seconds": 3, "call_seconds": 3, "total_seconds": 60}
pytestmark = pytest.mark.skipif(bubblewrap.program() is None, reason="bubblewrap is missing or may not be used here")


@pytest.fixture(scope="module")
def box():
    with bubblewrap.Sandbox(assignment.modules(ROOT / "solutions")) as started:
        yield started


@pytest.fixture
def session(box):
    opened = []

    def start(*cells, **times):
        opened.append(Session(box, cells, LIMITS, **{**TIMES, **times}))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def cells_of(notebook, roles=(None, "answer")):
    code = (cell for cell in notebook.cells if cell.cell_type == "code" and role(cell) in roles)
    return [cell.source for cell in code if "get_ipython" not in cell.source]


def asked(chapter, exercise=None):
    whole = assignment.load(ROOT / "solutions")[chapter]
    return whole._replace(questions=tuple(q for q in whole.questions if exercise in (None, q.exercise)))


def ask(session, command):
    """What a shell says inside."""
    run = "import subprocess\ndef ask(c):\n    r = subprocess.run(c, shell=True, capture_output=True, text=True)\n"
    return session(run + "    return r.stdout + r.stderr").function("ask")(command)


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_solutions_get_full_marks(box, path):
    cells = cells_of(nbformat.read(path, as_version=4))
    marks, _, _ = marking.mark(box, cells, asked(path.stem), lambda exercise: SEED)
    assert [mark for mark in marks if mark.points < mark.maximum] == []
    assert sum(mark.points for mark in marks) == sum(question.points for question in asked(path.stem).questions)


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_empty_notebooks_get_nothing_and_raise_nothing(box, path):
    student = derive(nbformat.read(path, as_version=4))
    marks, notes, _ = marking.mark(
        box, cells_of(student, (None, "answer", "check")), asked(path.stem), lambda exercise: SEED
    )
    assert {mark.points for mark in marks} == {0}
    assert all(mark.blank for mark in marks)
    assert notes == ()


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_submission_gains_nothing_and_the_next_is_graded(box, attack):
    one = asked("initialization", "uniform-bound")
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before = time.monotonic()
    marks, notes, _ = marking.mark(box, [HOSTILE[attack]], one, lambda exercise: SEED, LIMITS, **TIMES)
    assert [mark.points for mark in marks] == [0] * len(marks)
    assert all(mark.message for mark in marks)
    assert all(text.isprintable() and len(text) < 2000 for text in [*notes, *(mark.message for mark in marks)])
    assert time.monotonic() - before < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - largest < 300 * 1024
    right = "import math\ndef uniform_bound(variance):\n    return math.sqrt(3 * variance)"
    fair = ["def uniform_bound(std):\n    return std * 3 ** 0.5", right]
    full = [sum(m.points for m in marking.mark(box, [source], one, lambda e: SEED, LIMITS)[0]) for source in fair]
    assert max(full) == check("uniform-bound", lambda x: x).maximum


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A word that is everywhere outside (in memory, the environment, a file, a socket), and a sandbox started then."""
    word = "s" + secrets.token_hex(16)
    path, shared = tmp_path_factory.mktemp("outside") / word, Path("/dev/shm") / word
    path.write_text(word)
    shared.write_text(word)
    with pytest.MonkeyPatch.context() as patch, socket.socket(socket.AF_UNIX) as line, open(path) as opened:
        patch.setenv("SECRET", word)
        line.bind("\0" + word)
        line.listen()
        os.set_inheritable(opened.fileno(), True)
        with bubblewrap.Sandbox() as started:
            yield word, started
    shared.unlink()


@pytest.mark.skipif(not system_calls.known_machine(), reason="no filter of system calls for this machine")
@pytest.mark.parametrize("probe", PROBES)
def test_a_submission_reaches_nothing_outside(secret, probe):
    word, started = secret
    one = Session(started, [PROBES[probe]], LIMITS, call_seconds=30)
    assert one.function("probe")(word) == []
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
    before, largest = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    marks, _, _ = marking.mark(
        box, [COSTLY[exercise]], one, lambda id: SEED, bubblewrap.USUAL, call_seconds=3, total_seconds=20
    )
    # The seconds of this process alone: what runs in the sandbox does not count.
    assert time.process_time() - before < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - largest < 400 * 1024
    assert {mark.points for mark in marks} == {0}


def test_after_the_time_is_up_nothing_more_is_started(session):
    cells = ["import time; time.sleep(2)"] + ["pass"] * 2000
    before, late = time.monotonic(), session(*cells, total_seconds=1)
    with pytest.raises(Stopped, match="whole notebook"):
        late.function("f")
    assert time.monotonic() - before < 3


def test_notes_stay_few(session):
    noisy = session("def f(): return 1", *(f"raise ValueError({i})" for i in range(200)))
    assert noisy.function("f")() == 1
    assert len(noisy.notes) == 51


def test_results_are_bounded(session):
    big = session("import torch\ndef f(n): return torch.zeros(n, dtype=torch.uint8)").function("f")
    assert len(big(wire.DATA_LIMIT)) == wire.DATA_LIMIT
    with pytest.raises(Exception, match="too large"):
        big(wire.DATA_LIMIT + 1)


def test_every_process_of_a_submission_is_dead_when_it_ends(box, session):
    started = session("import os, time\ndef start():\n    for _ in range(5):\n        if os.fork() == 0:\n"
                      "            os.setsid(); time.sleep(300); os._exit(0)\n    return 1")  # fmt: skip
    before = set(psutil.Process().children(recursive=True))
    assert started.function("start")() == 1
    family = set(psutil.Process().children(recursive=True)) - before
    assert len(family) >= 5
    started.close()
    # What has ended waits as a zombie, which runs nothing, until the server forks again.
    until = time.monotonic() + 5
    while (alive := [p for p in family if _runs(p)]) and time.monotonic() < until:
        time.sleep(0.01)
    assert alive == []


def _runs(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "solutions",
        ROOT / "src",
        ROOT / "README.md",
        "/etc/shadow",
        "/proc/1/mem",
        "/proc/1/environ",
        Path.home(),
    ],
)
def test_what_is_outside_cannot_be_read(session, path):
    target = Path(path)
    if not target.is_dir():
        assert ask(session, f"(head -c 9 {target} | wc -c) 2> /dev/null").split() == ["0"]
        return
    # Of a folder in which Python lies there is the way to Python, and nothing beside it.
    ways = {Path(prefix).relative_to(target).parts[0] for prefix in (sys.prefix, sys.base_prefix)
            if target in Path(prefix).parents}  # fmt: skip
    assert set(ask(session, f"ls -A {target} 2> /dev/null").split()) <= ways


def test_environment_tells_no_secret(session, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    assert "hidden" not in ask(session, "env; cat /proc/*/environ")


def test_there_is_no_network(session):
    assert ask(session, "cat /proc/net/dev | tail -n +3 | cut -d: -f1").split() == ["lo"]


@pytest.mark.parametrize("folder", ["/", "/usr", "/course", "/course/stablenets", "/dev", "/etc", sys.prefix + "/lib"])
def test_nothing_outside_the_private_folders_can_be_written(session, folder):
    assert ask(session, f"touch {folder}/x && echo written").strip().endswith("written") is False


def test_nothing_is_left_for_the_next_student(session):
    assert ask(session, "for f in /dev/shm ~; do touch $f/x; done; ls /dev/shm ~").count("x") == 2
    assert ask(session, "ls -A /dev/shm ~").split() == ["/dev/shm:", "/student:"]


def test_no_privilege_is_left(session):
    status = ask(session, "cat /proc/self/status")
    assert {line.split()[1] for line in status.splitlines() if line.startswith("Cap")} == {"0" * 16}
    assert "NoNewPrivs:\t1" in status
    assert ("Seccomp:\t2" in status) == system_calls.known_machine()
    assert os.geteuid() != 0 or int(ask(session, "id -u")) >= bubblewrap.FIRST_USER


def test_new_namespaces_are_refused(session):
    assert "not permitted" in ask(session, "unshare -U true")


def test_a_cell_that_hangs_costs_that_cell_only(session):
    hung = session("x = 1", "while True: pass", "def f(y):\n    return x + y", cell_seconds=1)
    assert hung.function("f")(2) == 3
    assert hung.notes == ["code cell 2 was left out: it took longer than 1 seconds"]


def test_a_call_that_hangs_costs_that_call_only(session):
    hung = session("def f(y):\n    while y: pass\n    return 5", call_seconds=1)
    function = hung.function("f")
    with pytest.raises(Stopped, match="longer than 1 seconds"):
        function(1)
    assert function(0) == 5


def test_errors_arrive_by_their_name_and_in_plain_words(session):
    with pytest.raises(Exception, match=r"^no such number$") as caught:
        session("class Odd(Exception): pass\ndef f():\n    raise Odd('no\\n\\x1b such number')").function("f")()
    assert type(caught.value).__name__ == "Odd"


def test_magics_shell_lines_and_printing_do_no_harm(session):
    noisy = session(
        "%matplotlib inline\n%time x = 2\n!echo hello\nprint('hi')", "def f():\n    print('noise'); return x"
    )
    assert noisy.function("f")() == 2
    assert noisy.notes == []


def test_missing_and_wrong_names_are_told(session):
    empty = session("f = 3")
    with pytest.raises(LookupError, match="defines no function g"):
        empty.function("g")
    with pytest.raises(LookupError, match="must be a function, got int"):
        empty.function("f")


def test_without_bubblewrap_grading_is_refused(monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    with pytest.raises(bubblewrap.SandboxError, match="unsafe-no-sandbox"):
        bubblewrap.Sandbox()


def test_without_protection_it_says_so_and_still_ends_every_process():
    assert bubblewrap.protection(False)[0].startswith("NONE")
    with bubblewrap.Sandbox(confined=False) as open_box:
        one = Session(
            open_box,
            ["import os, time\ndef f():\n    if os.fork() == 0:\n        os.setsid(); time.sleep(300)\n    return 1"],
        )
        assert one.function("f")() == 1
        one.close()
        server = psutil.Process(open_box._server.pid)
        # The keeper itself lets go of the line a moment before it is gone.
        until = time.monotonic() + 5
        while alive := [child for child in server.children(recursive=True) if child.status() != "zombie"]:
            assert time.monotonic() < until, alive


def test_server_ends_with_the_process_that_started_it():
    code = (
        "import os; from stablenets.grading.sandbox.bubblewrap import Sandbox; box = Sandbox(); "
        "print(box._server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    until = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"
