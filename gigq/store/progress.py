"""What running functions leave in the file: how far they are, their logs; and what became of those taken away."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from gigq.codec import encode
from gigq.liveness import WorkerKey
from gigq.reports import Progress
from gigq.status import ExecutionStatus, JobStatus
from gigq.store.engine.database import Transaction

_LIMIT = 10_000
"""Bytes of a progress: far more than its numbers and its message can have."""


def write_progress(tx: Transaction, progress: Mapping[int, Progress]) -> None:
    """Write how far the jobs of these executions are; of one that is not open any more, nothing."""
    tx.executemany(
        """
        UPDATE jobs
           SET progress = ?, updated_at = ?
         WHERE seq = (SELECT job_seq FROM executions WHERE id = ? AND status = 'running')
        """,
        [
            (encode(each.as_dict(), name="progress", limit=_LIMIT), tx.stamp, execution)
            for execution, each in progress.items()
        ],
    )


def write_logs(tx: Transaction, logs: Mapping[int, str]) -> None:
    """Write the logs of executions: also of closed ones, for a log changes nothing of how they ended."""
    tx.executemany("UPDATE executions SET log = ? WHERE id = ?", [(log, execution) for execution, log in logs.items()])


class Fate(NamedTuple):
    """What became of an execution that someone else has ended, and of its job."""

    execution_id: int
    job_id: str
    name: str
    queue: str
    attempt: int
    ended: ExecutionStatus
    status: JobStatus
    error: str | None


def fates(tx: Transaction, executions: Collection[int]) -> list[Fate]:
    """Return what became of those of these executions that are in the file still."""
    rows = [
        tx.execute(
            """
            SELECT executions.id, jobs.id, jobs.name, jobs.queue, executions.attempt, executions.status, jobs.status,
                   executions.error
              FROM executions JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.id = ?
            """,
            (execution,),
        ).fetchone()
        for execution in executions
    ]
    found = [Fate(*row) for row in rows if row]
    return [fate._replace(ended=ExecutionStatus(fate.ended), status=JobStatus(fate.status)) for fate in found]


def begun_by(tx: Transaction, worker: WorkerKey) -> list[int]:
    """Return the open executions of a worker whose functions have been called."""
    found = tx.execute(
        """
        SELECT id
          FROM executions INDEXED BY executions_open
         WHERE status = 'running' AND worker_seq = ? AND started_at IS NOT NULL
        """,
        (worker.seq,),
    )
    return [execution for (execution,) in found]
