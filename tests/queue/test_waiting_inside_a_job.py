"""A job that waits for another one inside its function: `why` of both says so, while it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from running import Running

from gigq import Job, JobQueue

PATIENCE = 30


def outer(path: str) -> object:
    """Wait for a job that it submits."""
    with JobQueue(path) as queue:
        return queue.result(queue.submit(Job("inner", "functions:nothing", id="inner")), timeout=PATIENCE)


def until(queue: JobQueue, job_id: str, text: str) -> list[str]:
    """Ask why until the answer contains this."""
    for _ in range(1000):
        said = queue.why(job_id) if queue.get_job(job_id) else []
        if any(text in each for each in said):
            return said
        threading.Event().wait(0.02)
    raise AssertionError(f"{text!r} was never said, but {said}")


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_why_of_both_says_who_blocks_whom(path: str, queue: JobQueue, run: Callable[..., Running], mode: str) -> None:
    job = queue.submit(Job("outer", outer, {"path": path}, max_attempts=1))
    run(worker_id="ann", mode=mode)
    said = until(queue, "inner", "waits for this job")
    assert said[0] == (
        f"Every slot of worker ann is busy, and job {job} (outer) there waits for this job inside its function; "
        "use dependencies instead, or a worker of another queue."
    )
    assert queue.why(job)[1] == "It waits for job inner (inner), which is pending."
    assert queue.scale(2) == 1
    assert queue.wait(job, timeout=PATIENCE).status == "completed"
    assert "wait" not in " ".join(queue.why(job) + queue.why("inner"))


def test_a_job_that_waits_in_a_worker_with_free_slots_is_named(
    path: str, queue: JobQueue, run: Callable[..., Running]
) -> None:
    blocker = queue.submit(Job("blocker", "functions:nothing", id="inner", queue="nobody serves it"))
    run(worker_id="ann", concurrency=2, queues=["default"])
    job = queue.submit(Job("outer", waiter, {"path": path, "job": blocker}, max_attempts=1))
    assert until(queue, blocker, "waits for it")[0] == f"Job {job} (outer) waits for it."
    queue.cancel(blocker)
    assert queue.wait(job, timeout=PATIENCE).result == "cancelled"


def waiter(path: str, job: str) -> str:
    with JobQueue(path) as queue:
        return str(queue.wait(job, timeout=PATIENCE).status)


def test_a_job_may_wait_for_one_in_another_file(
    queue: JobQueue, tmp_path: Path, run: Callable[..., Running]
) -> None:
    other = str(tmp_path / "other.db")
    run(worker_id="ann")
    with JobQueue(other) as elsewhere:
        elsewhere.submit(Job("elsewhere", "functions:nothing", id="far"))
        job = queue.submit(Job("outer", waiter, {"path": other, "job": "far"}, max_attempts=1))
        threading.Event().wait(0.4)
        assert not any("waits for" in each for each in elsewhere.why("far"))
        elsewhere.cancel("far")
        assert queue.wait(job, timeout=PATIENCE).result == "cancelled"
