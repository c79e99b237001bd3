"""The effect of a job's end, or of its return, on the jobs that depend on it.

`blockers` of an unfinished job is the number of its unfinished parents. Every function here keeps that true.
"""

from __future__ import annotations

from collections.abc import Sequence

from gigq.status import Move
from gigq.store import moves
from gigq.store.engine.lists import listed
from gigq.store.engine.transaction import Transaction
from gigq.store.graphs import in_order


def ended_badly(job_id: str, name: str, status: str) -> str:
    """Return the error of a job that was cancelled because this other one ended badly."""
    return f"cancelled because job {job_id} ({name[:200]}), on which it depends, ended as {status}"


def parents_among(tx: Transaction, jobs: Sequence[int]) -> list[int]:
    """Return those of these jobs (at least one) that have children, in order of submission."""
    if tx.value("SELECT 1 FROM job_dependencies LIMIT 1") is None:  # most often, and then in a tenth of the time
        return []
    seqs, values = listed(jobs)
    found = tx.execute(f"SELECT DISTINCT parent FROM job_dependencies WHERE parent IN {seqs} ORDER BY parent", values)
    return [parent for (parent,) in found]


def parent_done(tx: Transaction, parent: int) -> None:
    """Count a finished parent off the blockers of all its children."""
    counted = tx.execute(
        """
        UPDATE jobs
           SET blockers = blockers - 1, ready_at = CASE WHEN blockers = 1 THEN :now ELSE ready_at END
         WHERE seq IN (SELECT child FROM job_dependencies WHERE parent = :parent)
           AND status IN ('pending', 'running')
        """,
        {"parent": parent, "now": tx.stamp},
    )
    tx.has_news |= counted.rowcount > 0


def parent_ended_badly(tx: Transaction, parent: int, reason: str) -> None:
    """Cancel all descendants that need this parent, and count it off the blockers of the children that do not.

    Args:
        reason: the error of the descendants.
    """
    _cancel_below(tx, parent, reason, failed_parent=parent)


def cancel_blocked(tx: Transaction, job: int) -> None:
    """Cancel a pending job that a parent blocks which ended badly before, and all descendants that need it."""
    parent = failed_parent_of(tx, job)
    if parent is not None:
        root, reason = _root_of(tx, parent)
        if moves.cancel(tx, [job], error=reason, failed_parent=root):
            _cancel_below(tx, job, reason, failed_parent=root)


def _cancel_below(tx: Transaction, job: int, reason: str, *, failed_parent: int) -> None:
    ended = [job]
    while ended:
        each = ended.pop()
        cancelled = _pending_children(tx, each)
        moves.cancel(tx, cancelled, error=reason, failed_parent=failed_parent)
        parent_done(tx, each)
        ended.extend(cancelled)


def reopen(tx: Transaction, job: int, *, run_at: str | None = None, move: Move = Move.REQUEUE) -> None:
    """Make a job that has ended pending again, and let its unfinished children wait for it again."""
    tx.has_news = True
    moves.requeue(tx, job, run_at=run_at, move=move)
    tx.execute(
        """
        UPDATE jobs
           SET blockers = blockers + 1
         WHERE seq IN (SELECT child FROM job_dependencies WHERE parent = :job)
           AND status IN ('pending', 'running')
        """,
        {"job": job},
    )


def revive(tx: Transaction, parent: int) -> None:
    """Reopen the jobs that were cancelled because of this one, unless another failed parent blocks them."""
    for job, unique_key in _cancelled_because_of(tx, parent):
        other = failed_parent_of(tx, job)
        if other is None and is_key_taken(tx, unique_key):
            # Another job has been submitted in its place. From now on it is a cancelled job like any other: the jobs
            # that are cancelled because of it come back when a person requeues it.
            tx.execute("UPDATE jobs SET failed_parent = NULL WHERE seq = ?", (job,))
        elif other is None:
            reopen(tx, job)
        else:
            _set_failed_parent(tx, job, other)


def _cancelled_because_of(tx: Transaction, root: int) -> list[tuple[int, str | None]]:
    """Return the jobs that were cancelled because of this one, each after its parents, and their unique keys."""
    keys = dict(tx.execute("SELECT seq, unique_key FROM jobs WHERE failed_parent = ?", (root,)).fetchall())
    parents: dict[int, list[int]] = {job: [] for job in keys}
    # Not in order of submission: a job also waits for what its parents have submitted since.
    if len(keys) > 1:
        edges = tx.execute(
            """
            SELECT child, parent
              FROM jobs
              JOIN job_dependencies ON child = jobs.seq
              JOIN jobs AS parents ON parents.seq = parent
             WHERE jobs.failed_parent = :root
               AND parents.failed_parent = :root
            """,
            {"root": root},
        )
        for child, parent in edges:
            parents[child].append(parent)
    order, _ = in_order(parents)
    return [(job, keys[job]) for job in order]


def is_key_taken(tx: Transaction, unique_key: str | None) -> bool:
    """Whether an unfinished job has this unique key."""
    return tx.value("SELECT 1 FROM jobs WHERE unique_key = ? AND completed_at IS NULL", (unique_key,)) is not None


def failed_parent_of(tx: Transaction, job: int) -> int | None:
    """Return the last of its parents that ended badly and without which this job must not run, or None.

    The last, so that the job is looked at only twice while all of them come back one after the other.
    """
    found: int | None = tx.value(
        """
        SELECT parents.seq
          FROM job_dependencies
          JOIN jobs AS parents ON parents.seq = job_dependencies.parent
          JOIN jobs AS child ON child.seq = job_dependencies.child
         WHERE job_dependencies.child = :job
           AND child.on_parent_failure = 'cancel'
           AND parents.status IN ('failed', 'timeout', 'cancelled')
         ORDER BY job_dependencies.position DESC
        """,
        {"job": job},
    )
    return found


def _set_failed_parent(tx: Transaction, job: int, parent: int) -> None:
    root, reason = _root_of(tx, parent)
    tx.execute("UPDATE jobs SET failed_parent = ?, error = ? WHERE seq = ?", (root, reason, job))


def _root_of(tx: Transaction, parent: int) -> tuple[int, str]:
    """Return the job because of which this parent ended badly, or itself; and the error of what depends on it."""
    parent_id, name, status, root = tx.execute(
        "SELECT id, name, status, coalesce(failed_parent, seq) FROM jobs WHERE seq = ?", (parent,)
    ).fetchone()
    return root, ended_badly(parent_id, name, status)


def _pending_children(tx: Transaction, parent: int) -> list[int]:
    """The children that are to be cancelled when this parent ends badly."""
    found = tx.execute(
        """
        SELECT seq
          FROM jobs
         WHERE seq IN (SELECT child FROM job_dependencies WHERE parent = :parent)
           AND status = 'pending'
           AND on_parent_failure = 'cancel'
        """,
        {"parent": parent},
    )
    return [seq for (seq,) in found]
