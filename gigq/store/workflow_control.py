"""Workflows cancelled, and sent back where they failed."""

from __future__ import annotations

from gigq.store import control, last_jobs
from gigq.store.engine.transaction import Transaction
from gigq.store.workflows import Workflow


def cancel(tx: Transaction, workflow: Workflow) -> int:
    """Cancel the pending and the running jobs of a workflow but the last one, and return how many.

    Jobs outside of it that need one of them are cancelled too, and not counted.
    """
    unfinished = tx.execute(
        """
        SELECT id
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = :workflow
           AND status IN ('pending', 'running')
           AND seq IS NOT :last
         ORDER BY seq
        """,
        {"workflow": workflow.seq, "last": workflow.last_job},
    ).fetchall()
    for (job_id,) in unfinished:
        control.cancel(tx, job_id, running=True)  # does nothing if it has been cancelled with one before it
    return len(unfinished)


def requeue_failed(tx: Transaction, workflow: Workflow) -> int:
    """Send back the jobs of a workflow that failed or timed out, and return how many.

    With them come the jobs that were cancelled because of them. The last job runs again when they have ended.
    """
    requeued = sum(control.requeue(tx, job_id) for job_id in _dead(tx, workflow))
    if requeued and workflow.last_job is not None:
        last_jobs.run_again(tx, workflow.last_job)
    return requeued


def _dead(tx: Transaction, workflow: Workflow) -> list[str]:
    found = tx.execute(
        """
        SELECT id
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = ?
           AND status IN ('failed', 'timeout')
         ORDER BY seq
        """,
        (workflow.seq,),
    )
    return [job_id for (job_id,) in found]
