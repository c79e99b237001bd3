"""The one door through which every execution ends, and with it its job's stay with a worker."""

from __future__ import annotations

from typing import Any, NamedTuple

from gigq.clock import later, to_text
from gigq.errors import LeaseLost
from gigq.records import Report
from gigq.retry import RetryRule
from gigq.status import FINISHED, JobStatus, Move, move_after
from gigq.store.children import ended_badly, parent_done, parent_ended_badly
from gigq.store.database import Transaction


class _Job(NamedTuple):
    seq: int
    id: str
    name: str
    attempts: int
    max_attempts: int
    retry: RetryRule

    @property
    def attempts_left(self) -> int:
        return self.max_attempts - self.attempts


def settle(tx: Transaction, execution_id: int, report: Report, *, chance: float) -> Move:
    """End an execution, at most once, and make the one move of its job that follows from how it ended.

    Args:
        execution_id: an execution that is still open.
        report: how it ended.
        chance: a random number from 0 to 1, for the jitter of a retry.

    Raises:
        LeaseLost: someone else has ended it before. Nothing was written; the transaction goes on.
    """
    _close(tx, execution_id, report)
    job = _job_of(tx, execution_id)
    move = move_after(report.status, is_final=report.is_final, attempts_left=job.attempts_left)
    _apply(tx, job, move, report, chance=chance)
    if move.target is JobStatus.COMPLETED:
        parent_done(tx, job.seq)
    elif move.target in FINISHED:
        parent_ended_badly(tx, job.seq, ended_badly(job.id, job.name, move.target))
    return move


def _close(tx: Transaction, execution_id: int, report: Report) -> None:
    closed = tx.execute(
        """
        UPDATE executions
           SET status = ?, completed_at = ?, error = ?, error_type = ?, traceback = ?
         WHERE id = ?
           AND status = 'running'        -- still open: the row is the lease
        """,
        (report.status, tx.stamp, report.error, report.error_type, report.traceback, execution_id),
    )
    if closed.rowcount == 0:
        raise LeaseLost(f"execution {execution_id} was ended by someone else; the report ({report.status}) is refused")


def _job_of(tx: Transaction, execution_id: int) -> _Job:
    row = tx.execute(
        """
        SELECT seq, id, name, attempts, max_attempts, retry_delay, retry_backoff, retry_max_delay, retry_jitter
          FROM jobs
         WHERE seq = (SELECT job_seq FROM executions WHERE id = ?)
        """,
        (execution_id,),
    ).fetchone()
    seq, job_id, name, attempts, max_attempts, delay, backoff, max_delay, jitter = row
    rule = RetryRule(delay=delay, backoff=backoff, max_delay=max_delay, jitter=jitter)
    return _Job(seq, job_id, name, attempts, max_attempts, rule)


def _apply(tx: Transaction, job: _Job, move: Move, report: Report, *, chance: float) -> None:
    wait = _wait(job, move, report, chance=chance)
    values: dict[str, Any] = {
        "seq": job.seq,
        "status": move.target,
        "attempts": job.attempts - (move is Move.RELEASE),
        "run_at": to_text(later(tx.now, wait)) if wait > 0 else None,
        "result": report.result,
        "released": move is Move.RELEASE,
        "error": report.error,
        "now": tx.stamp,
        "completed_at": tx.stamp if move.target in FINISHED else None,
    }
    tx.execute(
        """
        UPDATE jobs
           SET status = :status, attempts = :attempts, run_at = :run_at, result = :result,
               error = CASE WHEN :released THEN error ELSE :error END,   -- it did not fail; an earlier attempt may have
               updated_at = :now, completed_at = :completed_at
         WHERE seq = :seq
        """,
        values,
    )


def _wait(job: _Job, move: Move, report: Report, *, chance: float) -> float:
    """Seconds until the job may run again."""
    if move is Move.RETRY:
        return job.retry.wait(job.attempts, chance=chance)
    return report.delay if move is Move.RELEASE else 0.0
