"""The submits of a running job: what waits for that job also waits for what it submits."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import sqlite3
from collections.abc import Sequence, Set
from typing import NamedTuple

from gigq.errors import CyclicWorkflow
from gigq.job_ids import JobId
from gigq.new_job import NewJob
from gigq.status import ENDED_BADLY, JobStatus
from gigq.store import moves, submitting
from gigq.store.dependencies import cancel_blocked, ended_badly, parent_ended_badly, revive
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.found import FOUND, found_by, path_to, wait_for


class Submitter(NamedTuple):
    """A running job that submits others.

    Attributes:
        generation: how often it was restarted from scratch.
        workflow: the workflow that it belongs to.
    """

    seq: int
    id: str
    generation: int
    workflow: int | None


def submitter(tx: Transaction, job: int) -> Submitter:
    """Return what is to be known of a job that submits others."""
    row = tx.execute("SELECT seq, id, generation, workflow_seq FROM jobs WHERE seq = ?", (job,)).fetchone()
    return Submitter(*row)


def is_stored(tx: Transaction, job_id: str) -> bool:
    """Whether a job is in the file."""
    return tx.value("SELECT 1 FROM jobs WHERE id = ?", (job_id,)) is not None


def submit(tx: Transaction, jobs: Sequence[NewJob], by: Submitter, *, is_detached: bool) -> list[JobId]:
    """Store jobs that a running job submits, as `submitting.submit` does, and return their ids.

    The children of the submitter wait for them, unless these are detached or it has submitted those itself.

    Raises:
        UnknownParent: as `submitting.submit`.
        CyclicWorkflow: such a child would wait for a job that waits for it. What was written is to be rolled back.
    """
    ids = submitting.submit(tx, jobs, submitter=by.seq)
    rows = _stored(tx, ids)
    _mark(tx, [rows[each].seq for each in ids if each.is_new], by, is_detached=is_detached)
    waiting = [] if is_detached else _waiting_for(tx, by.seq)
    found = [row for row in rows.values() if row.submitter != by.seq]  # that of new ones was still NULL
    if waiting and found:
        dependent = {rows[each].seq for job, each in zip(jobs, ids, strict=True) if job.dependencies or not each.is_new}
        _refuse_circles(tx, waiting, dependent, by)
        for child in waiting:
            wait_for(tx, child, [row.seq for row in found])
            if any(row.status in ENDED_BADLY for row in found):
                cancel_blocked(tx, child)
    return ids


def let_go(tx: Transaction, job: int) -> None:
    """Detach what a job has submitted, for it starts from scratch and submits anew. It is pending again.

    What of it is pending is cancelled, and nobody waits for the rest who has not named it.
    """
    old = found_by(tx, [job])
    if not old:
        return
    waiting = _waiting_for(tx, job)
    for child in waiting:
        _wait_no_longer(tx, child, {row["seq"] for row in old})
    tx.execute("UPDATE jobs SET is_detached = 1 WHERE submitted_by = ?", (job,))
    for child in waiting:
        wait_for(tx, child, _found_by_parents(tx, child))
    job_id, name = tx.execute("SELECT id, name FROM jobs WHERE seq = ?", (job,)).fetchone()
    for row in old:
        _drop(tx, row, f"cancelled because job {job_id} ({name[:200]}), which had submitted it, starts from scratch")
    for root in {row["failed_parent"] or row["seq"] for row in old if row["status"] in ENDED_BADLY}:
        revive(tx, root)


def _drop(tx: Transaction, row: sqlite3.Row, reason: str) -> None:
    """Take a job out of its workflow, and cancel it if it is pending."""
    tx.execute("UPDATE jobs SET workflow_seq = NULL WHERE seq = ?", (row["seq"],))
    if moves.cancel(tx, [row["seq"]], error=reason):
        parent_ended_badly(tx, row["seq"], ended_badly(row["id"], row["name"], JobStatus.CANCELLED))


def _found_by_parents(tx: Transaction, child: int) -> list[int]:
    """Return what the parents of a job have submitted, but for those that have submitted the job itself."""
    edges = tx.execute("SELECT parent FROM job_dependencies WHERE child = ?", (child,)).fetchall()
    parents = sorted({seq for (seq,) in edges} - path_to(tx, child))
    return [row["seq"] for portion in portions(parents) for row in found_by(tx, portion)]


def _wait_no_longer(tx: Transaction, child: int, parents: Set[int]) -> None:
    """Let a job wait no longer for those of these that it has not named."""
    edges = tx.execute("SELECT parent FROM job_dependencies WHERE child = ? AND position >= ?", (child, FOUND))
    dropped = [(child, parent) for (parent,) in edges if parent in parents]
    tx.executemany("DELETE FROM job_dependencies WHERE child = ? AND parent = ?", dropped)
    tx.execute(
        """
        UPDATE jobs
           SET blockers = (SELECT count(*)
                             FROM job_dependencies JOIN jobs AS parents ON parents.seq = job_dependencies.parent
                            WHERE job_dependencies.child = jobs.seq
                              AND parents.status IN ('pending', 'running'))
         WHERE seq = ?
           AND status IN ('pending', 'running')
        """,
        (child,),
    )


class _Stored(NamedTuple):
    seq: int
    status: str
    submitter: int | None


def _stored(tx: Transaction, ids: Sequence[str]) -> dict[str, _Stored]:
    """Return what is stored of jobs by their ids."""
    found: dict[str, _Stored] = {}
    for portion in portions(ids):
        these, values = listed(portion)
        for job_id, *row in tx.execute(f"SELECT id, seq, status, submitted_by FROM jobs WHERE id IN {these}", values):
            found[job_id] = _Stored(*row)
    return found


def _mark(tx: Transaction, jobs: Sequence[int], by: Submitter, *, is_detached: bool) -> None:
    for portion in portions(jobs):
        seqs, values = listed(portion)
        tx.execute(
            f"UPDATE jobs SET submitted_by = ?, workflow_seq = ?, is_detached = ? WHERE seq IN {seqs}",
            (by.seq, None if is_detached else by.workflow, int(is_detached), *values),
        )


def _waiting_for(tx: Transaction, job: int) -> list[int]:
    """Return the children of a job that may still run, without what it has submitted itself, or by way of others.

    The last job of a workflow may run again even if it has completed.
    """
    children = tx.execute(
        """
        SELECT jobs.seq, jobs.submitted_by
          FROM job_dependencies JOIN jobs ON jobs.seq = job_dependencies.child
         WHERE job_dependencies.parent = :job
           AND (jobs.status <> 'completed'
                OR jobs.seq = (SELECT last_job FROM job_workflows WHERE seq = jobs.workflow_seq))
           AND jobs.submitted_by IS NOT :job
        """,
        {"job": job},
    ).fetchall()
    return [seq for seq, by in children if by is None or job not in path_to(tx, seq)]


def _refuse_circles(tx: Transaction, waiting: Sequence[int], found: Set[int], by: Submitter) -> None:
    """Raise if one of the jobs that are found waits for one of those that are to wait for it."""
    for child in waiting if found else ():
        if (seq := next(iter(_below(tx, child) & found), None)) is not None:
            names = [tx.value("SELECT name FROM jobs WHERE seq = ?", (each,)) for each in (seq, child, by.seq)]
            raise CyclicWorkflow(
                f"job {names[0]!r} waits for {names[1]!r}, which would wait for all that {names[2]!r} submits; "
                "submit it with detached=True"
            )


def _below(tx: Transaction, job: int) -> set[int]:
    """Return a job and all that waits for it, directly or by way of others."""
    found = tx.execute(
        """
        WITH RECURSIVE below (seq) AS (
             SELECT :job
              UNION
             SELECT job_dependencies.child FROM below JOIN job_dependencies ON job_dependencies.parent = below.seq)
        SELECT seq FROM below
        """,
        {"job": job},
    )
    return {seq for (seq,) in found}
