"""What every test of a queue shares: a file of its own, a clock that it moves, and a sound file at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gigq import JobQueue, ManualClock


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
