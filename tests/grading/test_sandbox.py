"""Submissions run in the sandbox: right ones get full marks, hostile ones gain nothing and touch nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from book_rules import ROOT, SOLUTIONS, name
from hostile import HOSTILE

from stablenets.checks import check
from stablenets.grading import assignment, grade, sandbox
from stablenets.grading.inside import system_calls
from stablenets.grading.session import Session, Stopped
from stablenets.grading.student import derive, role

SEED = 987_654_321
LIMITS = sandbox.Limits(megabytes=600, file_megabytes=8, processes=24, seconds=30)
TIMES = {"cell_seconds": 3, "call_seconds": 3, "total_seconds": 60}
pytestmark = pytest.mark.skipif(sandbox.bubblewrap() is None, reason="bubblewrap is missing or may not be used here")


@pytest.fixture(scope="module")
def box():
    with sandbox.Sandbox(assignment.modules(ROOT / "solutions")) as started:
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


def asked(chapter):
    return assignment.load(ROOT / "solutions")[chapter]


def ask(session, command):
    """What a shell says inside."""
    run = "import subprocess\ndef ask(c):\n    r = subprocess.run(c, shell=True, capture_output=True, text=True)\n"
    return session(run + "    return r.stdout + r.stderr").function("ask")(command)


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_solutions_get_full_marks(box, path):
    cells = cells_of(nbformat.read(path, as_version=4))
    marks, _ = grade.mark(box, cells, asked(path.stem), lambda exercise: SEED)
    assert [mark for mark in marks if mark.points < mark.maximum] == []
    assert sum(mark.points for mark in marks) == sum(question.points for question in asked(path.stem).questions)


@pytest.mark.parametrize("path", SOLUTIONS, ids=name)
def test_empty_notebooks_get_nothing_and_raise_nothing(box, path):
    student = derive(nbformat.read(path, as_version=4))
    marks, notes = grade.mark(
        box, cells_of(student, (None, "answer", "check")), asked(path.stem), lambda exercise: SEED
    )
    assert {mark.points for mark in marks} == {0}
    assert all("not answered yet" in mark.message for mark in marks)
    assert notes == ()


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_submission_gains_nothing_and_the_next_is_graded(box, attack):
    only = asked("initialization")
    one = only._replace(questions=tuple(q for q in only.questions if q.exercise == "uniform-bound"))
    before = time.monotonic()
    marks, _ = grade.mark(box, [HOSTILE[attack]], one, lambda exercise: SEED, LIMITS, **TIMES)
    assert [mark.points for mark in marks] == [0] * len(marks)
    assert all(mark.message for mark in marks)
    assert time.monotonic() - before < 30
    right = "import math\ndef uniform_bound(variance):\n    return math.sqrt(3 * variance)"
    fair = ["def uniform_bound(std):\n    return std * 3 ** 0.5", right]
    full = [sum(m.points for m in grade.mark(box, [source], one, lambda e: SEED, LIMITS)[0]) for source in fair]
    assert max(full) == check("uniform-bound", lambda x: x).maximum


def test_every_process_of_a_submission_is_dead_when_it_ends(box, session):
    started = session("import os, time\ndef start():\n    for _ in range(5):\n        if os.fork() == 0:\n"
                      "            os.setsid(); time.sleep(300); os._exit(0)\n    return 1")  # fmt: skip
    before = len(psutil.Process().children(recursive=True))
    assert started.function("start")() == 1
    assert len(psutil.Process().children(recursive=True)) >= before + 5
    started.close()
    assert len(psutil.Process().children(recursive=True)) <= before


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
    listed = f"ls {target} | grep -v pyenv | wc -w" if target.is_dir() else f"head -c 9 {target} | wc -c"
    assert ask(session, f"({listed}) 2> /dev/null").split() == ["0"]


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
    assert os.geteuid() != 0 or int(ask(session, "id -u")) >= sandbox.FIRST_USER


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
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(sandbox.SandboxError, match="unsafe-no-sandbox"):
        sandbox.Sandbox()


def test_without_protection_it_says_so_and_still_ends_every_process():
    assert sandbox.protection(False)[0].startswith("NONE")
    with sandbox.Sandbox(confined=False) as open_box:
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
        "import os; from stablenets.grading.sandbox import Sandbox; box = Sandbox(); "
        "print(box._server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    until = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"
