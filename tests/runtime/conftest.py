"""What the tests of child processes share: gates for jobs, and runners that leave nothing behind."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
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
    """Makes runners; at the end they are closed, and have left no process and no open file behind."""
    files, runners = open_files(), []

    def make_one(slots: int = 1, **options: Any) -> ProcessRunner:
        given = {"clock": SystemClock(), "handlers": None, "result_limit": RESULT_LIMIT, "grace": 20.0, **options}
        runners.append(ProcessRunner(slots=slots, **given))
        return runners[-1]

    yield make_one
    for each in runners:
        each.close()
    gc.collect()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert open_files() == files


@pytest.fixture
def runner(make: Make) -> ProcessRunner:
    """One slot."""
    return make()
