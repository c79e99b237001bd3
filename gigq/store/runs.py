"""The runs of executors in the file. The calls of each are jobs in a queue of its own, ``name#run``.

Nobody serves such a queue but the worker of that run. What a later run of the same name asks for is moved to its queue.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from gigq.codec import decode
from gigq.new_job import NewJob
from gigq.status import FINISHED, JobStatus
from gigq.store import deleting, moves
from gigq.store.dependencies import ended_badly, parent_ended_badly, parents_among, reopen, revive
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.queues import MARK
from gigq.store.submitting import submit
from gigq.store.tables import READY

_AFTER_MARK = MARK[:-1] + chr(ord(MARK[-1]) + 1)

_REASON = "cancelled by the program that had asked for it"


class Stored(NamedTuple):
    """A call as it is in the file.

    Attributes:
        id: the id of the job.
        status: where it is.
        queue: the queue of the run that has asked for it last.
        result: what it has returned, as JSON.
        metadata: of the job, as JSON.
    """

    id: str
    status: JobStatus
    queue: str
    result: str | None
    metadata: str

    @property
    def has_ended(self) -> bool:
        return self.status in FINISHED


class Rival(NamedTuple):
    """A worker that is registered for a run of the same name.

    Attributes:
        seq: the number of its row: who came first has the smaller one.
        heartbeat: a number that grows while it is alive.
        pid: the number of its process.
    """

    seq: int
    heartbeat: int
    pid: int


def add(tx: Transaction, jobs: Sequence[NewJob]) -> None:
    """Store calls for the worker of their run, which makes the transaction: nobody has to be woken."""
    has_news = tx.has_news
    submit(tx, jobs)
    tx.has_news = has_news


def ask(tx: Transaction, jobs: Sequence[NewJob]) -> list[Stored]:
    """Have calls made whose ids are derived from what they are, and return those that have completed before.

    What is not in the file is stored. What ended otherwise is reopened. What is unfinished is moved to the queue that
    these jobs name, unless a worker is at it; it gets their options, and all its attempts again.
    """
    found = {each.id: each for each in states(tx, [job.id for job in jobs])}
    add(tx, [job for job in jobs if job.id not in found])
    known = [(job, found[job.id]) for job in jobs if job.id in found]
    for job, stored in known:
        if stored.status is not JobStatus.COMPLETED:
            _take_over(tx, job, stored)
    return [stored for _, stored in known if stored.status is JobStatus.COMPLETED]


def states(tx: Transaction, ids: Sequence[str]) -> Iterator[Stored]:
    """Yield where these calls are, without those that are not in the file."""
    for portion in portions(ids):
        these, values = listed(portion)
        for job_id, status, *rest in tx.execute(
            f"SELECT id, status, queue, result, metadata FROM jobs WHERE id IN {these}", values
        ).fetchall():
            yield Stored(job_id, JobStatus(status), *rest)


def follow(tx: Transaction, ids: Sequence[str], *, queue: str) -> int:
    """Move those of these calls to the queue of a run that are pending elsewhere, and return how many."""
    moved = 0
    for portion in portions(ids):
        these, values = listed(portion)
        moved += tx.execute(
            f"UPDATE jobs SET queue = ? WHERE id IN {these} AND status = 'pending' AND queue <> ?",
            (queue, *values, queue),
        ).rowcount
    return moved


def cancel(tx: Transaction, ids: Sequence[str]) -> None:
    """Cancel those of these calls that are pending."""
    for portion in portions(ids):
        these, values = listed(portion)
        found = tx.execute(f"SELECT seq, id, name FROM jobs WHERE id IN {these} AND status = 'pending'", values)
        _cancel(tx, found.fetchall())


def cancel_leftovers(tx: Transaction) -> None:
    """Cancel the calls of runs without a name that no worker serves any more: nobody can ask for them."""
    served = {queue for queues in _queues_of_workers(tx) for queue in queues}
    found = tx.execute(
        f"""
        SELECT seq, id, name, queue FROM jobs WHERE {READY} AND queue >= ? AND queue < ?
         UNION
        SELECT seq, id, name, queue FROM jobs WHERE status = 'pending' AND run_at > '' AND queue >= ? AND queue < ?
        """,
        (MARK, _AFTER_MARK) * 2,
    ).fetchall()
    _cancel(tx, [(seq, job_id, name) for seq, job_id, name, queue in found if queue not in served])


def delete(tx: Transaction, ids: Sequence[str]) -> int:
    """Delete those of these calls that have ended and that no other job needs, and return how many."""
    deleted = 0
    for portion in portions(ids):
        these, values = listed(portion)
        found = tx.execute(f"SELECT seq FROM jobs WHERE id IN {these} AND completed_at IS NOT NULL", values)
        deleted += _delete(tx, [seq for (seq,) in found])
    return deleted


def forget(tx: Transaction, name: str, *, after: int, limit: int, spared: Collection[str]) -> tuple[int, int | None]:
    """Delete what the runs of a name have left in the file, results too, unless a worker is at it or a job needs it.

    Args:
        name: the name of the executor.
        after: the seq behind which to look.
        limit: how many to look at.
        spared: the ids of calls to leave.

    Returns:
        How many were deleted, and the seq behind which to look next; None at the end.
    """
    found = tx.execute(
        """
        SELECT seq, id, status
          FROM jobs
         WHERE seq > ?
           AND queue >= ? AND queue < ?
         ORDER BY seq
         LIMIT ?
        """,
        (after, name + MARK, name + _AFTER_MARK, limit),
    ).fetchall()
    old = [seq for seq, job_id, status in found if status != JobStatus.RUNNING and job_id not in spared]
    return _delete(tx, old), found[-1][0] if len(found) == limit else None


def rivals(tx: Transaction, name: str) -> list[Rival]:
    """Return the workers that are registered for runs of this name, the oldest first."""
    found = tx.execute("SELECT seq, heartbeat, pid, queues FROM job_workers WHERE queues IS NOT NULL ORDER BY seq")
    return [
        Rival(seq, heartbeat, pid)
        for seq, heartbeat, pid, queues in found
        if any(str(queue).startswith(name + MARK) for queue in decode(queues))
    ]


def version_of_data(tx: Transaction) -> int:
    """Return a number that has changed when another connection has written the file."""
    found: int = tx.value("PRAGMA data_version")
    return found


def _take_over(tx: Transaction, job: NewJob, stored: Stored) -> None:
    """Give an unfinished call to the run, unless a worker is at it."""
    (seq,) = tx.execute("SELECT seq FROM jobs WHERE id = ?", (job.id,)).fetchone()
    if stored.has_ended:
        reopen(tx, seq)
        revive(tx, seq)
    tx.execute(
        """
        UPDATE jobs
           SET queue = :queue, priority = :priority, timeout = :timeout, max_attempts = :max_attempts, attempts = 0,
               run_at = NULL, retry_delay = :retry_delay, retry_backoff = :retry_backoff,
               retry_max_delay = :retry_max_delay, retry_jitter = :retry_jitter, retry_on = :retry_on,
               no_retry_on = :no_retry_on, metadata = :metadata
         WHERE seq = :seq
           AND status = 'pending'
        """,
        {
            "seq": seq,
            "queue": job.queue,
            "priority": job.priority,
            "timeout": job.timeout,
            "max_attempts": job.max_attempts,
            "retry_delay": job.retry_delay,
            "retry_backoff": job.retry_backoff,
            "retry_max_delay": job.retry_max_delay,
            "retry_jitter": job.retry_jitter,
            "retry_on": job.retry_on,
            "no_retry_on": job.no_retry_on,
            "metadata": job.metadata,
        },
    )


def _cancel(tx: Transaction, jobs: Sequence[tuple[int, str, str]]) -> None:
    """Cancel pending jobs, given by seq, id and name, and the descendants that need them."""
    moves.cancel(tx, [seq for seq, _, _ in jobs], error=_REASON)
    for portion in portions(jobs):
        parents = set(parents_among(tx, [seq for seq, _, _ in portion]))
        for seq, job_id, name in portion:
            if seq in parents:
                parent_ended_badly(tx, seq, ended_badly(job_id, name, JobStatus.CANCELLED))


def _delete(tx: Transaction, jobs: Sequence[int]) -> int:
    """Delete those of these jobs that no unfinished child needs."""
    deleted = 0
    for portion in portions(jobs):
        seqs, values = listed(portion)
        found = tx.execute(
            f"""
            SELECT seq
              FROM jobs
             WHERE seq IN {seqs}
               AND NOT EXISTS (SELECT 1
                                 FROM job_dependencies JOIN jobs AS children ON children.seq = job_dependencies.child
                                WHERE job_dependencies.parent = jobs.seq
                                  AND children.completed_at IS NULL)
            """,
            values,
        ).fetchall()
        deleted += deleting.remove(tx, [seq for (seq,) in found]) if found else 0
    return deleted


def _queues_of_workers(tx: Transaction) -> Iterable[list[str]]:
    found = tx.execute("SELECT queues FROM job_workers WHERE queues IS NOT NULL").fetchall()
    return [decode(queues) for (queues,) in found]
