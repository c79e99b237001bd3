"""The last job of a workflow: it depends on all others, and runs when they have ended."""

from __future__ import annotations

from collections.abc import Sequence

from gigq.errors import CyclicWorkflow
from gigq.reports import Report
from gigq.status import FINISHED, JobStatus, Move
from gigq.store import found, steps
from gigq.store.dependencies import reopen
from gigq.store.engine.transaction import Transaction
from gigq.store.settling import settle
from gigq.store.tables import OPEN

_RELEASED = Report.released("given back: other jobs of its workflow are to run before it")


def wait_for(tx: Transaction, workflow: int, *, after: int, others: Sequence[str] = ()) -> None:
    """Let the last job of a workflow, if it has one, depend on more jobs.

    Args:
        after: the jobs of the workflow that were stored after the one with this seq.
        others: the ids of jobs that do not belong to the workflow.

    Raises:
        CyclicWorkflow: one of them depends on the last job.
    """
    last = tx.value("SELECT last_job FROM job_workflows WHERE seq = ?", (workflow,))
    if last is None:
        return
    found.wait_for(tx, last, [*_stored(tx, workflow, last, after), *_named(tx, others)])
    _refuse_circle(tx, last)
    run_again(tx, last)


def _stored(tx: Transaction, workflow: int, last: int, after: int) -> list[int]:
    rows = tx.execute(
        """
        SELECT seq
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = ?
           AND seq > ?
           AND seq <> ?
         ORDER BY seq
        """,
        (workflow, after, last),
    )
    return [seq for (seq,) in rows]


def _named(tx: Transaction, ids: Sequence[str]) -> list[int]:
    seqs = (tx.value("SELECT seq FROM jobs WHERE id = ?", (job_id,)) for job_id in ids)
    return [seq for seq in seqs if seq is not None]


def _refuse_circle(tx: Transaction, last: int) -> None:
    """Refuse parents of the last job that depend on it themselves."""
    row = tx.execute(
        """
        WITH RECURSIVE below (seq) AS (
             SELECT child FROM job_dependencies WHERE parent = :last
              UNION
             SELECT child FROM job_dependencies JOIN below ON parent = below.seq)
        SELECT jobs.name, last.name
          FROM below
          JOIN job_dependencies ON child = :last AND parent = below.seq
          JOIN jobs ON jobs.seq = below.seq
          JOIN jobs AS last ON last.seq = :last
        """,
        {"last": last},
    ).fetchone()
    if row is not None:
        name, of_last = row
        raise CyclicWorkflow(
            f"job {name!r:.80} depends on {of_last!r:.80}, the last job of its workflow, which waits for all others"
        )


def run_again(tx: Transaction, last: int) -> None:
    """Let the last job of a workflow wait for its unfinished parents, if there are any, and run when they have ended.

    If it has ended, or is running, it runs once more. It begins from scratch then, because what it is given will be
    something else: what it remembers of an earlier run would be wrong.
    """
    status, blockers = tx.execute(
        """
        SELECT status, (SELECT count(*)
                          FROM job_dependencies JOIN jobs AS parents ON parents.seq = job_dependencies.parent
                         WHERE job_dependencies.child = jobs.seq
                           AND parents.status IN ('pending', 'running'))
          FROM jobs
         WHERE seq = ?
        """,
        (last,),
    ).fetchone()
    if not blockers:
        return
    steps.forget(tx, last)
    if status in FINISHED:
        reopen(tx, last, move=Move.RERUN if status == JobStatus.COMPLETED else Move.REQUEUE)
    elif status == JobStatus.RUNNING:
        settle(tx, tx.value(f"SELECT id FROM executions WHERE job_seq = ? AND {OPEN}", (last,)), _RELEASED)
