"""Fixtures for the command line: type a command, in this process or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import gigq
from gigq import Job, JobQueue, ManualClock
from gigq.cli import main
from gigq.testing import drain

SOURCES = [str(Path(gigq.__file__).parents[1]), str(Path(__file__).parents[1])]

CHORES = """
import time

def tidy():
    return "tidy"

def read(gate):
    open(gate).close()

def open_gate(gate):
    open(gate, "w").close()

def open_and_rest(gate):
    open_gate(gate)
    time.sleep(600)
"""
"""A module that only a worker started in its directory can import."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has returned and printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test starts without settings in the environment, in its own directory and with its own import path."""
    for name in [each for each in os.environ if each.startswith("GIGQ_") or each in ("COLUMNS", "PYTHONIOENCODING")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def run(path: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Types a command about the test's queue, in this process."""

    def type_it(*words: str) -> Outcome:
        capsys.readouterr()
        code = main(["--db", path, *words])
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return type_it


@pytest.fixture
def spawn(path: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Types a command about the test's queue, in a process of its own, which ends with the test at the latest."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, module: str = "gigq", variables: dict[str, str] | None = None, **options: Any) -> Any:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(SOURCES), "GIGQ_DB": path} | (variables or {})
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        process = subprocess.Popen([sys.executable, "-m", module, *words], text=True, env=environment, **pipes)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in filter(None, (process.stdout, process.stderr)):
            pipe.close()


@pytest.fixture
def chores(tmp_path: Path) -> None:
    """A module in the directory where the worker is started, and nowhere else."""
    (tmp_path / "chores.py").write_text(CHORES)


@pytest.fixture
def gate(tmp_path: Path, chores: None) -> Path:
    """A FIFO: opening one end waits until the other is opened, which the chores use to meet."""
    os.mkfifo(tmp_path / "gate")
    return tmp_path / "gate"


@pytest.fixture
def old(open_queue: Callable[..., JobQueue]) -> JobQueue:
    """The queue as it was ten days ago."""
    return open_queue(clock=ManualClock(datetime.now(UTC) - timedelta(days=10)))


@pytest.fixture
def ended(queue: JobQueue, old: JobQueue) -> JobQueue:
    """Four jobs: ten days ago one failed and one was cancelled; just now one completed and one failed."""
    old.submit(Job("old failed", "functions.fail", max_attempts=1, tags=["t"]))
    old.submit(Job("cancelled", "functions.nothing", queue="red"))
    old.cancel_jobs(queue="red")
    drain(old)
    queue.submit(Job("completed", "functions.nothing"))
    queue.submit(Job("new failed", "functions.fail", {"message": "bad\nworse"}, max_attempts=1, queue="red"))
    drain(queue)
    return queue
