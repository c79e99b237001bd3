"""Calls of a queue whose answer must not be None."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
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


def slots(path: str) -> list[int]:
    """A job that returns the concurrency of each worker of its file."""
    with JobQueue(path) as queue:
        return [worker.concurrency for worker in queue.workers()]


def gigq(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these variables of gigq in its environment, and no others of gigq."""
    root = Path(__file__).parents[2]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIGQ_")}
    env = {**kept, **variables, "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")])}
    return subprocess.run(
        [sys.executable, "-m", "gigq", *words], env=env, capture_output=True, text=True, timeout=60, check=False
    )


def names(jobs: list[dict[str, Any]]) -> list[str]:
    return [job["name"] for job in jobs]
