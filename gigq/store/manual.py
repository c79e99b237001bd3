"""Jobs that are taken by hand: in whose name, until when, and what a person may still say of them."""

from __future__ import annotations

from typing import Any

from gigq.claims import Claim
from gigq.clock import from_text
from gigq.errors import JobNotFound, LeaseLost
from gigq.liveness import ProcessIdentity, WorkerKey
from gigq.reports import Report
from gigq.status import ExecutionStatus
from gigq.store import claiming, workers
from gigq.store.engine.database import Transaction
from gigq.store.settling import settle

_TAKEN_AWAY = (ExecutionStatus.TIMEOUT, ExecutionStatus.LOST, ExecutionStatus.CANCELLED)


def register(tx: Transaction, worker_id: str, process: ProcessIdentity) -> WorkerKey:
    """Enter a process as a worker of mode ``manual``, whose heartbeat nobody moves.

    Rows of the same process that hold nothing are taken out: a program may open the queue anew for every job, and
    never close it. Whose row that was registers again when it next takes a job.
    """
    tx.execute(
        """
        DELETE FROM job_workers
         WHERE mode = 'manual' AND machine_id = ? AND boot_id = ? AND pid_namespace = ? AND pid = ?
           AND NOT EXISTS (
               SELECT 1
                 FROM executions INDEXED BY executions_open
                WHERE status = 'running' AND worker_seq = job_workers.seq)
        """,
        (process.machine_id, process.boot_id, process.pid_namespace, process.pid),
    )
    return workers.register(tx, worker_id, process, concurrency=0, mode="manual")


def time_out(tx: Transaction) -> int:
    """Settle as timeout what was taken by hand and has been held for longer than its timeout; return how many jobs.

    Only the file's clock is known to all who may ask. A clock that was set back makes a claim seem to begin in the
    future, and so lets it live longer; it ends none.
    """
    held = [
        (execution, _overrun(tx, started_at, timeout))
        for execution, started_at, timeout in tx.execute(
            """
            SELECT executions.id, executions.started_at, jobs.timeout
              FROM executions INDEXED BY executions_open
              JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.status = 'running' AND jobs.timeout IS NOT NULL
               AND executions.worker_seq IN (SELECT seq FROM job_workers WHERE mode = 'manual')
            """
        )
    ]
    overdue = [(execution, error) for execution, error in held if error is not None]
    for execution, error in overdue:
        settle(tx, execution, Report.timed_out(error))
    return len(overdue)


def begin(tx: Transaction, execution_id: int) -> ExecutionStatus | None:
    """Let an open execution begin now, its timeout anew, and return how it stood; None if its job was deleted."""
    claiming.begin(tx, [execution_id])  # does nothing to one that has ended
    return status_of(tx, execution_id)


def status_of(tx: Transaction, execution_id: int) -> ExecutionStatus | None:
    """Return how an execution stands; None if its job was deleted."""
    found = tx.value("SELECT status FROM executions WHERE id = ?", (execution_id,))
    return None if found is None else ExecutionStatus(found)


def held(tx: Transaction, job_id: str, *, own: WorkerKey | None) -> Claim:
    """Return the claim that a person means by a job's id: the open one, whoever has taken it by hand.

    Args:
        own: in whose name the one who asks takes jobs. If the job was taken away from that one, that is what they are
            told, and they cannot end in its place the execution of another.

    Raises:
        JobNotFound: no job has this id.
        LeaseLost: nobody holds the job by hand.
    """
    job = tx.value("SELECT seq FROM jobs WHERE id = ?", (job_id,))
    if job is None:
        raise JobNotFound(job_id)
    found = None if own is not None and _was_taken_from(tx, own, job) else _open_claim(tx, job)
    if found is None:
        raise LeaseLost(f"job {job_id} is not held by hand: it has ended, was taken away, or a worker runs it")
    return found


def _overrun(tx: Transaction, started_at: Any, timeout: Any) -> str | None:
    """Say that a job was held for too long, or that nobody can tell, for someone has written into its row."""
    try:
        if (tx.now - from_text(started_at)).total_seconds() < timeout:
            return None
        return f"held by hand for longer than its timeout of {timeout:g} seconds"
    except (ValueError, TypeError):
        return f"held by hand, and until when cannot be read: since {started_at!r:.80}, for {timeout!r:.80} seconds"


def _was_taken_from(tx: Transaction, worker: WorkerKey, job: int) -> bool:
    last = tx.value(
        "SELECT status FROM executions WHERE job_seq = ? AND worker_seq = ? ORDER BY id DESC LIMIT 1",
        (job, worker.seq),
    )
    return last in _TAKEN_AWAY


def _open_claim(tx: Transaction, job: int) -> Claim | None:
    found = tx.rows(
        """
        SELECT jobs.*, jobs.seq AS job_seq, jobs.id AS job_id, 0 AS is_ahead,
               executions.id AS execution_id, executions.attempt AS attempt
          FROM executions
          JOIN jobs ON jobs.seq = executions.job_seq
          JOIN job_workers ON job_workers.seq = executions.worker_seq
         WHERE executions.job_seq = ? AND executions.status = 'running' AND job_workers.mode = 'manual'
        """,
        (job,),
    )
    for row in map(dict, found):
        return Claim(**{name: row[name] for name in Claim._fields if name in row})
    return None
