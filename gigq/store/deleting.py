"""Delete jobs that a person has chosen, unless they are running or an unfinished job depends on them."""

from __future__ import annotations

from gigq.status import JobStatus
from gigq.store.engine.transaction import Transaction


def delete(tx: Transaction, job_id: str) -> bool:
    """Delete a job with its executions, its tags and its dependencies. False if that must not be, or there is none."""
    found = tx.execute("SELECT seq, status FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if found is None or found[1] == JobStatus.RUNNING or _is_needed(tx, found[0]):
        return False
    tx.execute("DELETE FROM jobs WHERE seq = ?", (found[0],))
    return True


def _is_needed(tx: Transaction, seq: int) -> bool:
    """Whether an unfinished job depends on this one."""
    found = tx.value(
        """
        SELECT 1
          FROM job_dependencies JOIN jobs AS children ON children.seq = job_dependencies.child
         WHERE job_dependencies.parent = ?
           AND children.completed_at IS NULL
         LIMIT 1
        """,
        (seq,),
    )
    return found is not None
