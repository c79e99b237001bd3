"""The workflows in the file: stored with their jobs, found again, and deleted with the last of these."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Sequence
from typing import Any, NamedTuple

from gigq.errors import InvalidJob, WorkflowNotFound
from gigq.job_ids import JobId
from gigq.new_job import NewJob
from gigq.store import last_jobs, reading, submitting
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.handles import SHORTEST
from gigq.store.rows import job_fields


class Workflow(NamedTuple):
    """The row of a workflow.

    Attributes:
        last_job: the seq of the job that runs when all others have ended; None if there is none.
    """

    seq: int
    id: str
    name: str
    last_job: int | None
    created_at: str


_COLUMNS = ", ".join(Workflow._fields)


def find(tx: Transaction, workflow_id: str) -> Workflow | None:
    """Return the workflow that has this id, or None."""
    row = tx.execute(f"SELECT {_COLUMNS} FROM job_workflows WHERE id = ?", (workflow_id,)).fetchone()
    return Workflow(*row) if row else None


def get(tx: Transaction, workflow_id: str) -> Workflow:
    """Return the workflow that has this id.

    Raises:
        WorkflowNotFound: none has.
    """
    found = find(tx, workflow_id)
    if found is None:
        raise WorkflowNotFound(workflow_id)
    return found


def ids_like(tx: Transaction, handle: str, *, limit: int) -> list[str]:
    """Return up to `limit` ids that begin with some text, or end with it; only itself, if it is an id."""
    if tx.value("SELECT 1 FROM job_workflows WHERE id = ?", (handle,)):
        return [handle]
    found = tx.execute(
        "SELECT id FROM job_workflows WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (handle, handle + "\U0010ffff", limit),
    ).fetchall()
    if len(handle) >= SHORTEST:  # there are much fewer of them than jobs
        end = {"end": handle, "start": -len(handle), "limit": limit}
        sql = "SELECT id FROM job_workflows WHERE substr(id, :start) = :end ORDER BY id LIMIT :limit"
        found += tx.execute(sql, end).fetchall()
    return list(dict.fromkeys(workflow_id for (workflow_id,) in found))[:limit]


def store(tx: Transaction, workflow_id: str, name: str, jobs: Sequence[NewJob], *, last: str | None) -> list[JobId]:
    """Store a workflow with its jobs, parents before their children, and return their ids.

    Jobs that are in the file already, or whose keys unfinished jobs have, do not join it. If none is stored, neither is
    the workflow.

    Args:
        last: the id of the job that is to run when all others have ended, and names them as its parents.

    Raises:
        UnknownParent: as `submitting.submit`.
        InvalidJob: the last job is in the file already.
    """
    newest = _newest(tx)
    ids = submitting.submit(tx, jobs)
    _refuse_old(ids, last, name)
    if any(each.is_new for each in ids):
        inserted = tx.execute(
            """
            INSERT INTO job_workflows (id, name, last_job, created_at)
            VALUES (?, ?, (SELECT seq FROM jobs WHERE id = ?), ?)
            """,
            (workflow_id, name, last, tx.stamp),
        )
        _join(tx, inserted.lastrowid or 0, after=newest)
    return ids


def add(
    tx: Transaction, workflow: Workflow, jobs: Sequence[NewJob], *, last: str | None, held: Sequence[str]
) -> list[JobId]:
    """Store more jobs of a workflow, and return their ids; as `store`.

    Its last job waits for them too. If that has begun or ended, it runs again when they have ended.

    Args:
        last: the id of the last job, if it is among these jobs.
        held: the ids of the jobs outside of it that stand for some of its own.

    Raises:
        CyclicWorkflow: one of them depends on the last job.
    """
    newest = _newest(tx)
    if last is not None and workflow.last_job is not None:
        raise InvalidJob(f"workflow {workflow.id} has a last job already; it can have one")
    ids = submitting.submit(tx, jobs)
    _refuse_old(ids, last, workflow.name)
    _join(tx, workflow.seq, after=newest)
    if last is not None:
        tx.execute(
            "UPDATE job_workflows SET last_job = (SELECT seq FROM jobs WHERE id = ?) WHERE seq = ?",
            (last, workflow.seq),
        )
    others = [*(held if last is not None else ()), *(each for each in ids if not each.is_new)]
    last_jobs.wait_for(tx, workflow.seq, after=newest if last is None else 0, others=others)
    return ids


def _refuse_old(ids: Sequence[JobId], last: str | None, name: str) -> None:
    if last is not None and not all(each.is_new for each in ids if each == last):
        raise InvalidJob(
            f"job {last!r:.80} is in the queue already, so it cannot wait for the jobs of workflow {name!r:.80}"
        )


def _newest(tx: Transaction) -> int:
    newest: int | None = tx.value("SELECT max(seq) FROM jobs")
    return newest or 0


def _join(tx: Transaction, workflow: int, *, after: int) -> None:
    """Let the jobs that this transaction has stored since then belong to a workflow."""
    tx.execute("UPDATE jobs SET workflow_seq = ? WHERE seq > ?", (workflow, after))


def job_ids(tx: Transaction, workflow: Workflow, *, of_submit: bool = False) -> list[str]:
    """Return the ids of the jobs of a workflow, in the order of submission.

    Args:
        of_submit: only those that were submitted with it, and not those that were found at run time.
    """
    found = tx.execute(
        """
        SELECT id, submitted_by
          FROM jobs INDEXED BY jobs_of_workflow
         WHERE workflow_seq = ?
         ORDER BY seq
        """,
        (workflow.seq,),
    )
    return [job_id for job_id, submitter in found if submitter is None or not of_submit]


def last_id(tx: Transaction, workflow: Workflow) -> str | None:
    """Return the id of the job that runs when all others have ended, or None."""
    job_id: str | None = tx.value("SELECT id FROM jobs WHERE seq = ?", (workflow.last_job,))
    return job_id


def newest_unfinished(tx: Transaction, workflow: Workflow) -> str | None:
    """Return the id of the unfinished job of a workflow that was submitted last, or None."""
    job_id: str | None = tx.value(
        """
        SELECT id
          FROM jobs
         WHERE seq = (SELECT max(seq)
                        FROM jobs INDEXED BY jobs_of_workflow
                       WHERE workflow_seq = ?
                         AND status IN ('pending', 'running'))
        """,
        (workflow.seq,),
    )
    return job_id


def jobs(tx: Transaction, workflow: Workflow) -> list[dict[str, Any]]:
    """Return the fields of `gigq.Job` of all jobs of a workflow, in the order of submission.

    Raises:
        StoreError: a row holds what gigq never wrote.
    """
    rows = tx.rows(
        "SELECT * FROM jobs INDEXED BY jobs_of_workflow WHERE workflow_seq = ? ORDER BY seq", (workflow.seq,)
    )
    parents: dict[int, list[str]] = {}
    tags: dict[int, list[str]] = {}
    for portion in portions(rows):
        seqs = [row["seq"] for row in portion]
        parents |= reading.parents_of(tx, seqs)
        tags |= reading.tags_of(tx, seqs)
    return [job_fields(row, parents=parents.get(row["seq"], ()), tags=tags.get(row["seq"], ())) for row in rows]


def of(tx: Transaction, jobs: Sequence[int]) -> list[int]:
    """Return the seqs of the workflows of these jobs, which are at least one and no more than one statement takes."""
    if tx.value("SELECT 1 FROM job_workflows LIMIT 1") is None:  # most often
        return []
    seqs, values = listed(jobs)
    found = tx.execute(
        f"SELECT DISTINCT workflow_seq FROM jobs WHERE seq IN {seqs} AND workflow_seq IS NOT NULL", values
    )
    return [workflow for (workflow,) in found]


def forget(tx: Transaction, workflows: Sequence[int]) -> None:
    """Delete those of these workflows that have no jobs left, and note where a last job is gone."""
    seqs, values = listed(workflows)
    tx.execute(
        f"""
        DELETE FROM job_workflows
         WHERE seq IN {seqs}
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE workflow_seq = job_workflows.seq)
        """,
        values,
    )
    # A later job may get the seq of one that was deleted.
    tx.execute(
        f"""
        UPDATE job_workflows
           SET last_job = NULL
         WHERE seq IN {seqs}
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE seq = last_job)
        """,
        values,
    )
