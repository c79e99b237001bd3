"""The graph of a workflow: its jobs, and what they depend on."""

from __future__ import annotations

from gigq.clock import from_text
from gigq.status import Phase
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import phase_of
from gigq.store.workflows import Workflow, last_id
from gigq.workflow_records import WorkflowGraph, WorkflowJob


def graph(tx: Transaction, workflow: Workflow) -> WorkflowGraph:
    """Return the jobs of a workflow, those outside of it on which they depend, and all dependencies of its jobs."""
    return WorkflowGraph(
        id=workflow.id,
        name=workflow.name,
        last_job=last_id(tx, workflow),
        at=tx.now,
        jobs=tuple(_jobs(tx, workflow)),
        edges=tuple(_edges(tx, workflow)),
    )


def _jobs(tx: Transaction, workflow: Workflow) -> list[WorkflowJob]:
    rows = tx.execute(
        f"""
        SELECT id, name, function, {phase_of(":now")}, run_at, started_at, completed_at,
               (SELECT id FROM jobs AS submitters WHERE submitters.seq = jobs.submitted_by),
               workflow_seq IS NOT :workflow
          FROM jobs
         WHERE seq IN (SELECT seq FROM jobs WHERE workflow_seq = :workflow
                        UNION
                       SELECT parent
                         FROM job_dependencies JOIN jobs AS children ON children.seq = child
                        WHERE children.workflow_seq = :workflow)
         ORDER BY seq
        """,
        {"workflow": workflow.seq, "now": tx.stamp},
    )
    return [
        WorkflowJob(
            id=job_id,
            name=name,
            function=function,
            phase=Phase(phase),
            run_at=run_at and from_text(run_at),
            started_at=started_at and from_text(started_at),
            completed_at=completed_at and from_text(completed_at),
            submitted_by=submitted_by,
            is_outside=bool(is_outside),
        )
        for job_id, name, function, phase, run_at, started_at, completed_at, submitted_by, is_outside in rows
    ]


def _edges(tx: Transaction, workflow: Workflow) -> list[tuple[str, str]]:
    return tx.execute(
        """
        SELECT parents.id, children.id
          FROM jobs AS children
          JOIN job_dependencies ON job_dependencies.child = children.seq
          JOIN jobs AS parents ON parents.seq = job_dependencies.parent
         WHERE children.workflow_seq = ?
         ORDER BY children.seq, job_dependencies.position
        """,
        (workflow.seq,),
    ).fetchall()
