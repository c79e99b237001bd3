"""`JobQueue.delete_job` and `delete_jobs`: what a person deletes goes with all that belongs to it, and nothing else."""

from __future__ import annotations

from typing import Any

import functions
import pytest

from gigq import Job, JobQueue
from gigq.testing import drain


def submit(queue: JobQueue, name: str, **options: Any) -> str:
    return queue.submit(Job(name, functions.nothing, **options))


def rows(queue: JobQueue, table: str) -> int:
    with queue.database.read() as tx:
        return int(tx.value(f"SELECT count(*) FROM {table}"))


def test_a_deleted_job_takes_everything_that_belongs_to_it_along(queue: JobQueue) -> None:
    parent = submit(queue, "parent", tags=["a"])
    child = submit(queue, "child", dependencies=[parent], tags=["b"])
    drain(queue)
    assert queue.delete_job(parent)
    assert queue.delete_job(child)
    assert queue.get_status(child) == {"exists": False}
    assert [rows(queue, table) for table in ("jobs", "executions", "job_tags", "job_dependencies")] == [0, 0, 0, 0]


def test_a_pending_job_can_be_deleted_and_a_running_one_cannot(queue: JobQueue) -> None:
    running, pending = submit(queue, "running"), submit(queue, "pending")
    claim = queue.dequeue()
    assert claim is not None
    assert queue.delete_job(pending)
    assert not queue.delete_job(running)
    queue.complete(claim)
    assert queue.delete_job(running)


def test_a_job_that_an_unfinished_one_depends_on_stays(queue: JobQueue) -> None:
    parent = submit(queue, "parent")
    drain(queue)
    child = submit(queue, "child", dependencies=[parent], delay=60)
    assert not queue.delete_job(parent)
    queue.cancel(child)
    assert queue.delete_job(parent)
    assert queue.requeue_job(child)
    assert not queue.delete_job("no such job")


def test_jobs_are_deleted_by_filters_and_counted(queue: JobQueue) -> None:
    for number in range(5):
        submit(queue, "a", tags=["x"] if number % 2 else [])
    other = submit(queue, "b", tags=["x"])
    assert queue.delete_jobs(name="a", tags="x") == 2
    assert queue.delete_jobs("pending", name="a") == 3
    assert queue.delete_jobs(name="a") == 0
    assert [job["id"] for job in queue.list_jobs()] == [other]


def test_a_chain_of_jobs_is_deleted_at_once_and_what_an_other_job_needs_stays(queue: JobQueue) -> None:
    first = submit(queue, "chain")
    second = submit(queue, "chain", dependencies=[first])
    submit(queue, "chain", dependencies=[second])
    needed = submit(queue, "chain")
    other = submit(queue, "other", dependencies=[needed])
    assert queue.delete_jobs(name="chain") == 3
    assert {job["id"] for job in queue.list_jobs()} == {needed, other}


def test_running_jobs_stay_whatever_the_filters(queue: JobQueue) -> None:
    for _ in range(2):
        submit(queue, "job")
    claim = queue.dequeue()
    assert claim is not None
    assert queue.delete_jobs(name="job") == 1
    queue.complete(claim)
    assert queue.delete_jobs("completed") == 1


def test_to_delete_everything_by_mistake_is_refused(queue: JobQueue) -> None:
    job_id = submit(queue, "job")
    with pytest.raises(ValueError, match="without a filter this would take every job; give a status or another"):
        queue.delete_jobs()
    with pytest.raises(ValueError, match=r"status is 'running'; delete_jobs takes pending, .*timeout$"):
        queue.delete_jobs("running")
    with pytest.raises(ValueError, match="status is 'asleep'"):
        queue.delete_jobs("asleep")
    assert queue.get_status(job_id)["exists"]


def test_the_key_of_a_deleted_job_is_free(queue: JobQueue) -> None:
    first = submit(queue, "job", unique_key="k")
    assert queue.delete_job(first)
    assert submit(queue, "job", unique_key="k") != first
