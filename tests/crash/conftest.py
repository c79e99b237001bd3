"""Fixtures of the crash tests: processes that do not outlive the test, and meetings of the test with its jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from outside import Meeting, Process, WorkerProcess


@pytest.fixture
def spawn() -> Iterator[Callable[..., Process]]:
    """Starts processes, and kills those that are left at the end."""
    started: list[Process] = []

    def spawn_one(kind: Callable[..., Process], *arguments: Any, **options: Any) -> Process:
        started.append(kind(*arguments, **options))
        return started[-1]

    yield spawn_one
    for process in started:
        process.clean_up()


@pytest.fixture
def start(path: str, spawn: Callable[..., Any]) -> Callable[..., WorkerProcess]:
    """Starts workers on the test's queue, with the options of `Worker`."""

    def start_one(worker_id: str = "ann", **options: object) -> WorkerProcess:
        process: WorkerProcess = spawn(WorkerProcess, path, worker_id=worker_id, **options)
        return process

    return start_one


@pytest.fixture
def meeting_of(tmp_path: Path) -> Iterator[Callable[[str], Meeting]]:
    """Creates meetings by name."""
    meetings: dict[str, Meeting] = {}

    def make(name: str) -> Meeting:
        if name not in meetings:
            meetings[name] = Meeting(tmp_path / f"meeting-{name}")
        return meetings[name]

    yield make
    for each in meetings.values():
        each.close()


@pytest.fixture
def meeting(meeting_of: Callable[[str], Meeting]) -> Meeting:
    return meeting_of("only")
