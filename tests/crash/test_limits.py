"""The limits of a queue hold exactly, however many processes claim from it."""

from __future__ import annotations

import bisect
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from gigq import Job, JobQueue

WORKERS = 8
WORK = """
import sys
from gigq import Worker
with Worker(sys.argv[1], concurrency=2, burst=True) as worker:
    worker.start()
"""


@pytest.fixture
def workers(path: str) -> Iterator[Callable[[], None]]:
    """Starts the workers, and returns when all have ended for want of work."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {"PYTHONPATH": ":".join(str(Path(__file__).parents[each]) for each in (1, 2))}

    def work() -> None:
        started.extend(subprocess.Popen([sys.executable, "-c", WORK, path], env=environment) for _ in range(WORKERS))
        assert [each.wait(timeout=120) for each in started] == [0] * WORKERS

    yield work
    for each in started:
        each.kill()
        each.wait()


def spans(queue: JobQueue, name: str) -> list[tuple[datetime, datetime]]:
    jobs = queue.list_jobs("completed", queue=name)
    assert {len(job["executions"]) for job in jobs} == {1}
    return sorted(
        (datetime.fromisoformat(job["started_at"]), datetime.fromisoformat(job["completed_at"])) for job in jobs
    )


def test_no_more_jobs_of_a_queue_run_at_a_time_than_may(queue: JobQueue, workers: Callable[[], None]) -> None:
    queue.configure("few", max_running=3)
    queue.submit_many(Job("job", "functions:nothing", queue="few") for _ in range(300))
    queue.submit_many(Job("job", "functions:nothing", queue="many") for _ in range(300))
    workers()
    found = spans(queue, "few")
    assert len(found) == 300
    assert len(spans(queue, "many")) == 300
    # One that ends in the transaction in which another one starts has made room for it.
    running = [sum(other <= start < end for other, end in found) for start, _ in found]
    assert max(running) == 3


def test_no_more_jobs_of_a_queue_start_within_a_period_than_may(queue: JobQueue, workers: Callable[[], None]) -> None:
    period = 0.25
    queue.configure("slow", rate_limit=10, rate_period=period)
    queue.submit_many(Job("job", "functions:nothing", queue="slow") for _ in range(150))
    queue.submit_many(Job("job", "functions:nothing") for _ in range(300))
    workers()
    starts = [start.timestamp() for start, _ in spans(queue, "slow")]
    assert len(starts) == 150
    most = [bisect.bisect_left(starts, start + period) - number for number, start in enumerate(starts)]
    assert max(most) == 10
