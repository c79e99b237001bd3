"""What is exact stays so however many processes ask at once: limits, unique keys, the ticks of schedules."""

from __future__ import annotations

import bisect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import functions
import pytest

from gigq import Job, JobQueue

WORKERS = 8
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(str(Path(__file__).parents[each]) for each in (1, 2))}
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

    def work() -> None:
        started.extend(subprocess.Popen([sys.executable, "-c", WORK, path], env=ENVIRONMENT) for _ in range(WORKERS))
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
    queue.submit_many(Job("job", "functions:nothing", queue="slow") for _ in range(80))
    queue.submit_many(Job("job", "functions:nothing") for _ in range(300))
    workers()
    starts = [start.timestamp() for start, _ in spans(queue, "slow")]
    assert len(starts) == 80
    most = [bisect.bisect_left(starts, start + period) - number for number, start in enumerate(starts)]
    assert max(most) == 10


def test_of_all_who_submit_with_a_key_at_once_one_stores_a_job(queue: JobQueue, path: str) -> None:
    submit = """
import sys
from gigq import Job, JobQueue
sys.stdin.readline()
with JobQueue(sys.argv[1]) as queue:
    print(*{queue.submit(Job("job", "a:b", unique_key="k")) for _ in range(25)})
"""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": ENVIRONMENT}
    submitters = [subprocess.Popen([sys.executable, "-c", submit, path], **pipes) for _ in range(WORKERS)]
    ids = [each.communicate("go\n", timeout=60)[0].split() for each in submitters]
    (job,) = queue.list_jobs()
    assert ids == [[job["id"]]] * WORKERS


def test_each_tick_submits_one_job_however_many_workers_run(queue: JobQueue, path: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    ear = os.open(gate, os.O_RDWR)  # both: then no job waits for a reader
    work = WORK.replace(", burst=True", "")
    workers = [subprocess.Popen([sys.executable, "-c", work, path], env=ENVIRONMENT) for _ in range(4)]
    try:
        params = {"gate": str(gate)}
        first = queue.schedules.add("tick", functions.open_gate, every=1, missed="all", params=params).next_at
        heard = b""
        while len(heard) < 4:
            heard += os.read(ear, 4)
        queue.schedules.pause("tick")
        queue.wait([job["id"] for job in queue.list_jobs()], timeout=60)
    finally:
        os.close(ear)
        for each in workers:
            each.kill()
            each.wait()
    ticks = sorted(datetime.fromisoformat(job["metadata"]["tick"]) for job in queue.list_jobs())
    assert first is not None
    assert ticks == [first + timedelta(seconds=number) for number in range(len(ticks))]
