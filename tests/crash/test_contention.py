"""Limits, unique keys and ticks are exact, however many processes ask at once."""

from __future__ import annotations

import bisect
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import functions
import pytest
from outside import PATIENCE, Process

from gigq import Job, JobQueue

WORKERS = 4
WORK = """
import sys
from gigq import Worker
with Worker(sys.argv[1], concurrency=2, burst=len(sys.argv) == 3) as worker:
    worker.start()
"""
SUBMIT = """
import os, sys
from gigq import Job, JobQueue
with JobQueue(sys.argv[1]) as queue:
    print("ready", flush=True)
    with open(sys.argv[2], "rb"):  # until the test opens it too
        pass
    print(*{queue.submit(Job("job", "a:b", unique_key="k")) for _ in range(25)})
"""

Spawn = Callable[..., Process]


@pytest.fixture
def work(path: str, spawn: Spawn) -> Callable[[], None]:
    """Starts the workers, and returns when all have ended because nothing is left to do."""

    def work_to_the_end() -> None:
        workers = [spawn(Process, WORK, path, "burst") for _ in range(WORKERS)]
        assert [each.wait_for_the_end() for each in workers] == [(0, "")] * WORKERS

    return work_to_the_end


def spans(queue: JobQueue, name: str) -> list[tuple[datetime, datetime]]:
    jobs = queue.list_jobs("completed", queue=name)
    assert {len(job["executions"]) for job in jobs} == {1}
    return sorted(
        (datetime.fromisoformat(job["started_at"]), datetime.fromisoformat(job["completed_at"])) for job in jobs
    )


def test_a_queue_runs_no_more_jobs_at_a_time_than_its_limit(queue: JobQueue, work: Callable[[], None]) -> None:
    queue.configure("few", max_running=3)
    queue.submit_many(Job("job", "functions:nothing", queue="few") for _ in range(150))
    queue.submit_many(Job("job", "functions:nothing", queue="many") for _ in range(150))
    work()
    found = spans(queue, "few")
    assert len(found) == 150
    assert len(spans(queue, "many")) == 150
    # One that ends in the transaction in which another one starts has made room for it.
    running = [sum(other <= start < end for other, end in found) for start, _ in found]
    assert max(running) == 3


def test_a_queue_starts_no_more_jobs_in_a_period_than_its_rate_limit(queue: JobQueue, work: Callable[[], None]) -> None:
    period = 0.25
    queue.configure("slow", rate_limit=10, rate_period=period)
    queue.submit_many(Job("job", "functions:nothing", queue="slow") for _ in range(50))
    queue.submit_many(Job("job", "functions:nothing") for _ in range(150))
    work()
    starts = [start.timestamp() for start, _ in spans(queue, "slow")]
    assert len(starts) == 50
    most = [bisect.bisect_left(starts, start + period) - number for number, start in enumerate(starts)]
    assert max(most) == 10


def test_of_many_concurrent_submits_with_one_unique_key_one_stores_a_job(
    queue: JobQueue, path: str, tmp_path: Path, spawn: Spawn
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    submitters = [spawn(Process, SUBMIT, path, str(gate)) for _ in range(WORKERS)]
    for each in submitters:
        each.wait_until_ready()
    with gate.open("wb"):
        ids = [each.says().split() for each in submitters]
    (job,) = queue.list_jobs()
    assert ids == [[job["id"]]] * WORKERS


def test_each_tick_submits_one_job_however_many_workers_run(
    queue: JobQueue, path: str, tmp_path: Path, spawn: Spawn
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    for _ in range(WORKERS):
        spawn(Process, WORK, path)
    with gate.open("r+b", buffering=0) as begun:  # in both directions: then no job waits for a reader
        first = queue.schedules.add(
            "tick", functions.open_gate, every=1, missed="all", params={"gate": str(gate)}
        ).next_at
        heard = b""
        while len(heard) < 3:
            heard += begun.read(3)
        queue.schedules.pause("tick")
        queue.wait([job["id"] for job in queue.list_jobs()], timeout=PATIENCE)
    ticks = sorted(datetime.fromisoformat(job["metadata"]["tick"]) for job in queue.list_jobs())
    assert first is not None
    assert ticks == [first + timedelta(seconds=number) for number in range(len(ticks))]
