"""One sandbox for all tests of a process: to start one takes seconds, a submission in it a tenth of one."""

import os
import secrets
import socket
from pathlib import Path

import pytest
from sandboxed import LIMITS, PATIENCE, Patient, PatientClient

from stablenets.checks.exercise import EXERCISES
from stablenets.grading.sandbox import bubblewrap


@pytest.fixture(scope="session")
def secret(tmp_path_factory):
    """A word that is everywhere outside when the sandbox starts: in memory, the environment, a file, a socket."""
    word = "s" + secrets.token_hex(16)
    path, shared = tmp_path_factory.mktemp("outside") / word, Path("/dev/shm") / word
    path.write_text(word, encoding="utf-8")
    shared.write_text(word, encoding="utf-8")
    with (
        pytest.MonkeyPatch.context() as patch,
        socket.socket(socket.AF_UNIX) as line,
        open(path, encoding="utf-8") as opened,
    ):
        patch.setenv("SECRET", word)
        line.bind("\0" + word)
        line.listen()
        os.set_inheritable(opened.fileno(), True)
        yield word
    shared.unlink()


@pytest.fixture(scope="session")
def box(secret):
    with bubblewrap.Sandbox() as started:
        yield started


@pytest.fixture
def registry():
    """What a test registers of exercises is there for its length."""
    before = set(EXERCISES)
    yield
    for id in set(EXERCISES) - before:
        del EXERCISES[id]


@pytest.fixture(scope="session", autouse=True)
def patient_kernels():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nbclient.NotebookClient", PatientClient)
        yield


@pytest.fixture
def session(box):
    """Starts sessions, and ends them after the test."""
    opened = []

    def start(*cells, **seconds):
        opened.append(Patient(box, cells, LIMITS, **{"call_seconds": PATIENCE, "total_seconds": PATIENCE, **seconds}))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
