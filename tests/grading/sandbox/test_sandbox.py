"""Submissions run in the sandbox: right ones get full marks, what is wrong is told, and nothing outside is touched."""

import os
import subprocess
import sys
from pathlib import Path
from shlex import quote

import nbformat
import psutil
import pytest
from book_rules import ROOT, SOLUTIONS, name
from sandboxed import PATIENCE, asked, comes, needs_bubblewrap, runs

from stablenets.grading import marking
from stablenets.grading.sandbox import bubblewrap, wire
from stablenets.grading.sandbox.inside import system_calls
from stablenets.grading.sandbox.session import Stopped
from stablenets.masters.cells import role
from stablenets.masters.student_notebook import derive

SEED = 987_654_321
pytestmark = needs_bubblewrap


def cells_of(notebook, roles=(None, "answer")):
    code = (cell for cell in notebook.cells if cell.cell_type == "code" and role(cell) in roles)
    return [cell.source for cell in code if "get_ipython" not in cell.source]


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


def test_after_the_time_is_up_nothing_more_is_started(box, session, monkeypatch):
    started, spawn = [], box.spawn
    monkeypatch.setattr(box, "spawn", lambda limits: started.append(limits) or spawn(limits))
    late = session("import time; time.sleep(60)", *["1 / 0"] * 2000, total_seconds=1)
    with pytest.raises(Stopped, match="whole notebook"):
        late.function("f")
    assert len(started) <= 1
    assert all(note.startswith("code cell 1 was left out") for note in late.notes)


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
    assert comes(lambda: not any(runs(process.pid) for process in family))


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
        assert ask(session, f"(head -c 9 {quote(str(target))} | wc -c) 2> /dev/null").split() == ["0"]
        return
    # Of a folder in which Python lies there is the way to Python, and nothing beside it.
    ways = {Path(prefix).relative_to(target).parts[0] for prefix in (sys.prefix, sys.base_prefix)
            if target in Path(prefix).parents}  # fmt: skip
    assert set(ask(session, f"ls -A {quote(str(target))} 2> /dev/null").splitlines()) <= ways


def test_environment_tells_no_secret(session, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    assert "hidden" not in ask(session, "env; cat /proc/*/environ")


def test_there_is_no_network(session):
    assert ask(session, "cat /proc/net/dev | tail -n +3 | cut -d: -f1").split() == ["lo"]


@pytest.mark.parametrize("folder", ["/", "/usr", "/course", "/course/stablenets", "/dev", "/etc", sys.prefix + "/lib"])
def test_nothing_outside_the_private_folders_can_be_written(session, folder):
    assert ask(session, f"touch {quote(folder)}/x && echo written").strip().endswith("written") is False


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
    hung.call_seconds = PATIENCE
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


def test_server_ends_with_the_process_that_started_it():
    code = (
        "import os; from stablenets.grading.sandbox.bubblewrap import Sandbox; box = Sandbox(); "
        "print(box._server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8").stdout)
    assert comes(lambda: not runs(pid))
