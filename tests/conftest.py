"""What every test of a queue shares: a file of its own, a clock that it moves, and a sound file at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import Pipes, Running

from gigq import JobQueue, ManualClock, Worker


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still until the test moves it."""
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the test's queue is."""
    return str(tmp_path / "jobs.db")


@pytest.fixture
def open_queue(path: str) -> Iterator[Callable[..., JobQueue]]:
    """Opens the test's queue, any number of times; at the end all are closed, and the file must be sound."""
    opened: list[JobQueue] = []

    def open_one(**options: object) -> JobQueue:
        opened.append(JobQueue(path, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    for queue in opened:
        queue.close()
    if Path(path).exists():
        with JobQueue(path, initialize=False) as queue:
            assert queue.check() == []


@pytest.fixture
def queue(open_queue: Callable[..., JobQueue]) -> JobQueue:
    """The test's queue, under the machine's clock."""
    return open_queue()


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    pipes = Pipes()
    yield pipes
    pipes.close()


@pytest.fixture
def run(path: str) -> Iterator[Callable[..., Running]]:
    """Starts workers, and stops them at the end."""
    started: list[Running] = []

    def start(**options: object) -> Running:
        started.append(Running(Worker(path, **options)))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for each in started:
        each.stop()
        each.worker.close()
