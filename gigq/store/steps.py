"""The steps of jobs: remembered once, and found again when a job's function begins anew."""

from __future__ import annotations

from gigq.steps import RememberedStep, Step
from gigq.store.engine.transaction import Transaction


def recall(tx: Transaction, job: int, name: str, occurrence: int) -> RememberedStep | None:
    """Return what is remembered of a job's step; None if it has not been made."""
    found = tx.execute(
        """
        SELECT kind, fingerprint, arguments, result
          FROM job_steps
         WHERE job_seq = ? AND name = ? AND occurrence = ?
        """,
        (job, name, occurrence),
    ).fetchone()
    return found and RememberedStep._make(found)


def remember(tx: Transaction, job: int, execution_id: int, step: Step) -> None:
    """Write a step of a job whose execution is still open, as `fencing.must_own` sees to."""
    tx.execute(
        """
        INSERT INTO job_steps
               (job_seq, execution_id, name, occurrence, kind, fingerprint, arguments, result, started_at, completed_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (job, execution_id, *step, tx.stamp),
    )
