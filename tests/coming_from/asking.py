"""What the tests ask of a queue where the answer must not be None."""

from __future__ import annotations

from typing import Any

from gigq import JobClaim, JobQueue, JobRecord


def taken(queue: JobQueue, worker_id: str | None = None, **options: Any) -> JobClaim:
    claim = queue.dequeue(worker_id, **options)
    assert claim is not None
    return claim


def record(queue: JobQueue, job_id: str) -> JobRecord:
    found = queue.get_job(job_id)
    assert found is not None
    return found


def status(queue: JobQueue, job_id: str) -> str:
    return record(queue, job_id).status.value


def names(jobs: list[dict[str, Any]]) -> list[str]:
    return [job["name"] for job in jobs]
