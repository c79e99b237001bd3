"""Where workflows stand: their jobs counted, when they began and ended, and how long they will still take."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from gigq.clock import from_text
from gigq.liveness import WorkerKey
from gigq.status import UNFINISHED, JobStatus, Phase
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import phase_of
from gigq.store.time_left import time_left
from gigq.store.workflows import Workflow, last_id
from gigq.workflow_records import WorkflowRecord, WorkflowStatus


def records(tx: Transaction, *, limit: int | None = None) -> list[WorkflowRecord]:
    """Return the workflows with the number of their jobs by status, the newest first."""
    rows = tx.execute(
        """
        SELECT job_workflows.seq, job_workflows.id, job_workflows.name, job_workflows.created_at, last.id
          FROM job_workflows LEFT JOIN jobs AS last ON last.seq = job_workflows.last_job
         ORDER BY job_workflows.seq DESC
         LIMIT ?
        """,
        (-1 if limit is None else limit,),
    ).fetchall()
    counts = {seq: dict.fromkeys(JobStatus, 0) for seq, *_ in rows}
    for portion in portions(list(counts)):
        seqs, values = listed(portion)
        for seq, status, number in tx.execute(
            f"""
            SELECT workflow_seq, status, count(*)
              FROM jobs INDEXED BY jobs_of_workflow
             WHERE workflow_seq IN {seqs}
             GROUP BY workflow_seq, status
            """,
            values,
        ):
            counts[seq][JobStatus(status)] = number
    return [
        WorkflowRecord(workflow_id, name, from_text(created_at), _in_words(counts[seq]), last)
        for seq, workflow_id, name, created_at, last in rows
    ]


def status(tx: Transaction, workflow: Workflow, *, gone: Collection[WorkerKey]) -> WorkflowStatus:
    """Return where a workflow stands. It reads its jobs, and a limited number of the latest executions.

    Args:
        gone: the workers whose process has certainly ended.
    """
    statuses, ended_at = _counted(tx, workflow)
    is_unfinished = any(statuses[each] for each in UNFINISHED)
    return WorkflowStatus(
        id=workflow.id,
        name=workflow.name,
        created_at=from_text(workflow.created_at),
        started_at=_started_at(tx, workflow),
        completed_at=None if is_unfinished or ended_at is None else from_text(ended_at),
        statuses=_in_words(statuses),
        phases=_phases(tx, workflow, statuses),
        time_left=time_left(tx, workflow.seq, gone=gone) if is_unfinished else 0.0,
        last_job=last_id(tx, workflow),
    )


def _counted(tx: Transaction, workflow: Workflow) -> tuple[dict[JobStatus, int], str | None]:
    """Return the number of jobs of each status, and when the last of those that have ended did."""
    rows = tx.execute(
        """
        SELECT status, count(*), max(completed_at)
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = ?
         GROUP BY status
        """,
        (workflow.seq,),
    ).fetchall()
    statuses = dict.fromkeys(JobStatus, 0) | {JobStatus(status): number for status, number, _ in rows}
    return statuses, max((completed_at for *_, completed_at in rows if completed_at is not None), default=None)


def _in_words(statuses: dict[JobStatus, int]) -> dict[str, int]:
    return {each.value: number for each, number in statuses.items()}


def _started_at(tx: Transaction, workflow: Workflow) -> datetime | None:
    first = tx.value(
        """
        SELECT min(executions.started_at)
          FROM jobs INDEXED BY jobs_of_workflow
          JOIN executions ON executions.job_seq = jobs.seq
         WHERE jobs.workflow_seq = ?
        """,
        (workflow.seq,),
    )
    return None if first is None else from_text(first)


def _phases(tx: Transaction, workflow: Workflow, statuses: dict[JobStatus, int]) -> dict[str, int]:
    """Return the number of jobs in each phase. Only the rows of unfinished jobs are read: the others may be long."""
    phases = {phase.value: 0 for phase in Phase} | {each.value: number for each, number in statuses.items()}
    del phases["pending"]
    unfinished = tx.execute(
        f"""
        SELECT {phase_of(":now")}, count(*)
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = :workflow
           AND status IN ('pending', 'running')
         GROUP BY 1
        """,
        {"workflow": workflow.seq, "now": tx.stamp},
    ).fetchall()
    return phases | {"running": 0} | dict(unfinished)
