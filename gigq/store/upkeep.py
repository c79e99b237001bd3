"""How finished jobs leave the file."""

from __future__ import annotations

from collections.abc import Sequence

from gigq.store.database import Transaction


def delete_finished(tx: Transaction, *, statuses: Sequence[str], before: str | None, limit: int) -> int:
    """Delete up to `limit` finished jobs with their executions, the oldest first, and return how many.

    A job stays while a child of it may still run: is pending or running, or is a dead letter that may be requeued.
    """
    marks = ", ".join("?" * len(statuses))
    deleted = tx.execute(
        f"""
        DELETE FROM jobs
         WHERE seq IN (
               SELECT seq
                 FROM jobs
                WHERE status IN ({marks})
                  AND completed_at IS NOT NULL
                  AND (? IS NULL OR completed_at < ?)
                  AND NOT EXISTS (
                      SELECT 1
                        FROM job_dependencies JOIN jobs AS children ON children.seq = job_dependencies.child
                       WHERE job_dependencies.parent = jobs.seq
                         AND children.status NOT IN ('completed', 'cancelled'))
                LIMIT ?)
        """,
        (*statuses, before, before, limit),
    )
    return deleted.rowcount
