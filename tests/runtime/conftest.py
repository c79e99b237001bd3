"""What the tests of child processes share: gates for jobs, and runners that leave nothing behind."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from forked import end_server
from process_runs import Make, open_files
from runtime.gates import Gate

from gigq import SystemClock
from gigq.codec import RESULT_LIMIT
from gigq.runtime.process.runner import ProcessRunner


@pytest.fixture
def gate_of(tmp_path: Path) -> Iterator[Callable[[str], Gate]]:
    """Makes gates by name."""
    gates: dict[str, Gate] = {}

    def make(name: str) -> Gate:
        return gates.setdefault(name, Gate(tmp_path / name))

    yield make
    for each in gates.values():
        each.close()


@pytest.fixture
def gate(gate_of: Callable[[str], Gate]) -> Gate:
    return gate_of("gate")


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes runners, and closes them at the end of the test."""
    with making() as make:
        yield make


@pytest.fixture
def runner(make: Make) -> ProcessRunner:
    """One slot."""
    return make()


@pytest.fixture(scope="module")
def shared() -> Iterator[ProcessRunner]:
    """One slot that all tests of a module share, for those to which the state of the child process does not matter."""
    with making() as make:
        yield make()


@contextmanager
def making() -> Iterator[Make]:
    """Makes runners. At the end they are closed, and must have left no process and no open file behind."""
    end_server()
    gc.collect()  # of what tests before have left to be closed
    files, runners = open_files(), []

    def make(slots: int = 1, **options: Any) -> ProcessRunner:
        given = {"clock": SystemClock(), "handlers": None, "result_limit": RESULT_LIMIT, "grace": 20.0, **options}
        runners.append(ProcessRunner(slots=slots, **given))
        return runners[-1]

    yield make
    for each in runners:
        each.close()
    gc.collect()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert open_files() == files
