"""The deletion of jobs: of those that a person has chosen, unless they are running or an unfinished job needs them."""

from __future__ import annotations

from collections.abc import Sequence

from gigq.status import JobStatus
from gigq.store import workflows
from gigq.store.engine.lists import listed
from gigq.store.engine.transaction import Transaction

_BELONGING = {
    "executions": "DELETE FROM executions WHERE job_seq IN",
    "job_dependencies of a child": "DELETE FROM job_dependencies WHERE child IN",
    "job_dependencies of a parent": "DELETE FROM job_dependencies WHERE parent IN",
    "job_tags": "DELETE FROM job_tags WHERE job_seq IN",
    "job_steps": "DELETE FROM job_steps WHERE job_seq IN",
    "jobs that were cancelled because of them": "UPDATE jobs SET failed_parent = NULL WHERE failed_parent IN",
    "jobs that they have submitted": "UPDATE jobs SET submitted_by = NULL WHERE submitted_by IN",
}
"""What the foreign keys of the tables do when jobs are deleted, for connections of others on which they are off."""


def delete(tx: Transaction, job_id: str) -> bool:
    """Delete a job with its executions, its tags and its dependencies. False if that must not be, or there is none."""
    found = tx.execute("SELECT seq, status FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if found is None or found[1] == JobStatus.RUNNING or _is_needed(tx, found[0]):
        return False
    remove(tx, [found[0]])
    return True


def remove(tx: Transaction, jobs: Sequence[int]) -> int:
    """Delete these jobs, of which there is at least one and no more than one statement takes; return how many.

    Their executions, tags and dependencies go with them, and the workflows that have no job left.
    """
    seqs, values = listed(jobs)
    theirs = workflows.of(tx, jobs)
    if not tx.has_foreign_keys:
        for beginning in _BELONGING.values():
            tx.execute(f"{beginning} {seqs}", values)
    deleted = tx.execute(f"DELETE FROM jobs WHERE seq IN {seqs}", values).rowcount
    if theirs:
        workflows.forget(tx, theirs)
    return deleted


def _is_needed(tx: Transaction, seq: int) -> bool:
    """Whether an unfinished job depends on this one, or has submitted it and would do so again if it were gone."""
    found = tx.value(
        """
        SELECT EXISTS (
               SELECT 1
                 FROM job_dependencies JOIN jobs AS children ON children.seq = job_dependencies.child
                WHERE job_dependencies.parent = :job
                  AND children.completed_at IS NULL)
            OR EXISTS (
               SELECT 1
                 FROM jobs JOIN jobs AS submitter ON submitter.seq = jobs.submitted_by
                WHERE jobs.seq = :job
                  AND submitter.completed_at IS NULL)
        """,
        {"job": seq},
    )
    return bool(found)
