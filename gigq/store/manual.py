"""Manual consumption: jobs that a program claims and ends itself, without a Worker."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gigq.claims import Claim
from gigq.clock import from_text, in_seconds
from gigq.errors import JobNotFound, LeaseLost
from gigq.liveness import ProcessIdentity, WorkerKey
from gigq.reports import Report
from gigq.status import ExecutionStatus
from gigq.store import claiming, workers
from gigq.store.engine.transaction import Transaction
from gigq.store.settling import settle
from gigq.store.tables import OPEN

_TAKEN_AWAY = (ExecutionStatus.TIMEOUT, ExecutionStatus.LOST, ExecutionStatus.CANCELLED)
_COLUMNS = claiming.columns(attempt="executions.attempt")


def register(tx: Transaction, worker_id: str, process: ProcessIdentity) -> WorkerKey:
    """Register a process as a worker of mode ``manual``, whose heartbeat nobody moves.

    Deletes the rows of the same process that hold no job: a program may open the queue for every job, and never close
    it. A program whose row was deleted registers again when it next claims a job.
    """
    tx.execute(
        f"""
        DELETE FROM job_workers
         WHERE mode = 'manual' AND machine_id = :machine AND boot_id = :boot AND pid_namespace = :namespace
           AND pid = :pid
           AND NOT EXISTS (
               SELECT 1
                 FROM executions INDEXED BY executions_open
                WHERE {OPEN} AND worker_seq = job_workers.seq)
        """,
        {
            "machine": process.machine_id,
            "boot": process.boot_id,
            "namespace": process.pid_namespace,
            "pid": process.pid,
        },
    )
    return workers.register(tx, worker_id, process, concurrency=0, mode="manual")


def is_registered(tx: Transaction, worker: WorkerKey, *, since: str) -> bool:
    """Whether a process is still registered, and this row not another's, as after a rollback it may be."""
    found = tx.value(
        "SELECT 1 FROM job_workers WHERE seq = ? AND id = ? AND started_at = ?", (worker.seq, worker.id, since)
    )
    return found is not None


def must_hold(tx: Transaction, claim: Claim, since: Collection[str]) -> None:
    """Refuse a claim that was rolled back: its execution, if there is one of this number, is another's.

    Args:
        since: when the execution was claimed, or has been begun since.

    Raises:
        LeaseLost: it was.
    """
    found = tx.value("SELECT started_at FROM executions WHERE id = ?", (claim.execution_id,))
    if found is not None and found not in since:
        raise LeaseLost(
            f"job {claim.job_id} is not claimed here: the transaction that has claimed it was rolled back, or its "
            f"execution {claim.execution_id} was changed by hand"
        )


def time_out(tx: Transaction) -> int:
    """Settle as timeout the jobs that were claimed manually and held for longer than their timeout; return how many.

    The wall clock is the only one that all callers share. When it is set back, claims seem to begin in the future and
    are kept for longer; none ends early because of that.
    """
    held = [
        (execution, _overrun(tx, started_at, timeout))
        for execution, started_at, timeout in tx.execute(
            f"""
            SELECT executions.id, executions.started_at, jobs.timeout
              FROM executions INDEXED BY executions_open
              JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.{OPEN} AND jobs.timeout IS NOT NULL
               AND executions.worker_seq IN (SELECT seq FROM job_workers WHERE mode = 'manual')
            """
        )
    ]
    overdue = [(execution, error) for execution, error in held if error is not None]
    for execution, error in overdue:
        settle(tx, execution, Report.timed_out(error))
    return len(overdue)


def begin(tx: Transaction, execution_id: int) -> ExecutionStatus | None:
    """Start an open execution, and its timeout, now; return its status, or None if its job was deleted."""
    claiming.begin(tx, [execution_id])  # does nothing to one that has ended
    return status_of(tx, execution_id)


def status_of(tx: Transaction, execution_id: int) -> ExecutionStatus | None:
    """Return the status of an execution; None if its job was deleted."""
    found = tx.value("SELECT status FROM executions WHERE id = ?", (execution_id,))
    return None if found is None else ExecutionStatus(found)


def held(tx: Transaction, job_id: str, *, own: WorkerKey | None) -> Claim:
    """Return the claim that a caller means by a job's id: the open one, whichever program has made it.

    Args:
        own: the caller's own registration. If the job was taken away from it, that is an error, so that the caller
            does not end the execution of another program instead.

    Raises:
        JobNotFound: no job has this id.
        LeaseLost: the job is not claimed manually.
    """
    job = tx.value("SELECT seq FROM jobs WHERE id = ?", (job_id,))
    if job is None:
        raise JobNotFound(job_id)
    found = None if own is not None and _was_taken_from(tx, own, job) else _open_claim(tx, job)
    if found is None:
        raise LeaseLost(f"job {job_id} is not claimed manually: it has ended, was taken away, or a worker runs it")
    return found


def _overrun(tx: Transaction, started_at: Any, timeout: Any) -> str | None:
    """Return the error of a job held for too long, or for a time that cannot be read since somebody edited its row."""
    try:
        if (tx.now - from_text(started_at)).total_seconds() < timeout:
            return None
        return f"claimed manually and held for longer than its timeout of {in_seconds(timeout)}"
    except (ValueError, TypeError):
        return f"claimed manually, and its time cannot be read: since {started_at!r:.80}, for {timeout!r:.80} seconds"


def _was_taken_from(tx: Transaction, worker: WorkerKey, job: int) -> bool:
    last = tx.value(
        "SELECT status FROM executions WHERE job_seq = ? AND worker_seq = ? ORDER BY id DESC LIMIT 1",
        (job, worker.seq),
    )
    return last in _TAKEN_AWAY


def _open_claim(tx: Transaction, job: int) -> Claim | None:
    found = tx.execute(
        f"""
        SELECT executions.id, {_COLUMNS}
          FROM executions
          JOIN jobs ON jobs.seq = executions.job_seq
          JOIN job_workers ON job_workers.seq = executions.worker_seq
         WHERE executions.job_seq = :job AND executions.{OPEN} AND job_workers.mode = 'manual'
        """,
        {"job": job},
    ).fetchone()
    return found and Claim(found[0], False, *found[1:])
