"""Workers that hear of a job before its caller commits, wait for the lock, and start it right after the commit."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from running import Running

from gigq import Job, JobQueue, Worker
from gigq.store.engine.bell import CAN_WATCH

pytestmark = pytest.mark.skipif(not CAN_WATCH, reason="workers hear nothing on this system, and poll")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    with JobQueue(tmp_path / "app.db") as queue:
        yield queue


class Starts:
    """Handlers that note when they are called, and one that keeps its worker busy."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.begun, self.may_end = threading.Event(), threading.Event()

    def note(self, name: str) -> None:
        self.at[name] = time.monotonic()
        self.begun.set()

    def busy(self) -> None:
        self.begun.set()
        self.may_end.wait(60)

    @property
    def handlers(self) -> dict[str, Callable[..., object]]:
        return {"note": self.note, "busy": self.busy}


def delays(queue: JobQueue, starts: Starts, names: str, *, held: float) -> list[float]:
    """Seconds from each commit to the start of its job."""
    found = []
    for name in names:
        starts.begun.clear()
        with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            queue.submit(Job(name, "note", {"name": name}), connection=connection)
            threading.Event().wait(held)
            connection.execute("COMMIT")
            committed_at = time.monotonic()
        assert starts.begun.wait(60)
        found.append(starts.at[name] - committed_at)
    return sorted(found)


@pytest.mark.parametrize("held", [0.0, 0.05])
def test_an_idle_worker_starts_a_job_right_after_the_commit(queue: JobQueue, held: float) -> None:
    starts = Starts()
    running = Running(Worker(queue.db_path, handlers=starts.handlers))
    found = delays(queue, starts, "abcde", held=held)
    running.stop()
    assert found[2] < 0.2, "it would take half a second to the next heartbeat, on average"


def test_an_idle_worker_that_is_not_called_first_does_too(queue: JobQueue) -> None:
    starts = Starts()
    first = Running(Worker(queue.db_path, handlers=starts.handlers, concurrency=1))
    queue.enqueue("busy")
    assert starts.begun.wait(60)
    second = Running(Worker(queue.db_path, handlers=starts.handlers))
    delays(queue, starts, "x", held=0.0)  # it is there
    found = delays(queue, starts, "abcde", held=0.05)
    starts.may_end.set()
    first.stop()
    second.stop()
    assert found[2] < 0.2
