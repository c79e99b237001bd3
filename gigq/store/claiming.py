"""How a worker takes jobs: the best of what is ready, and what has become due."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

from gigq.codec import decode, encode_object
from gigq.liveness import WorkerKey
from gigq.records import Claim
from gigq.store.database import Transaction


def claim(tx: Transaction, worker: WorkerKey, *, limit: int, queues: Sequence[str] | None = None) -> list[Claim]:
    """Take up to `limit` jobs for this worker: the highest priority first, then the oldest.

    Opens an execution for each, which is the worker's lease, and counts the attempt.
    """
    make_due_ready(tx)
    best = list(islice(heapq.merge(*(_ready(tx, queue, limit) for queue in queues or _ready_queues(tx))), limit))
    claims = [_open(tx, worker, seq) for _, seq in best]
    tx.executemany(
        """
        UPDATE jobs
           SET status = 'running', attempts = attempts + 1, started_at = ?, updated_at = ?, worker_id = ?
         WHERE seq = ?
        """,
        [(tx.stamp, tx.stamp, worker.id, seq) for _, seq in best],
    )
    return claims


def make_due_ready(tx: Transaction) -> None:
    """Move what has become due into the index of ready jobs, where a claim finds it."""
    tx.execute("UPDATE jobs SET run_at = NULL WHERE status = 'pending' AND run_at <= ?", (tx.stamp,))
    # A retry that was set later than now was set before the clock went back. It must not wait for the clock to
    # catch up, perhaps for hours: its run_at lies farther ahead than its own delay.
    tx.execute(
        """
        UPDATE jobs
           SET run_at = NULL
         WHERE status = 'pending' AND run_at IS NOT NULL AND attempts > 0
           AND updated_at > ?
        """,
        (tx.stamp,),
    )


def has_work(tx: Transaction, *, queues: Sequence[str] | None = None) -> bool:
    """Whether a claim would find something now. Takes microseconds, however long the queue is."""
    due = tx.value("SELECT min(run_at) FROM jobs WHERE status = 'pending' AND run_at IS NOT NULL")
    if due is not None and due <= tx.stamp:
        return True
    return any(next(_ready(tx, queue, 1), None) is not None for queue in queues or _ready_queues(tx))


def _ready_queues(tx: Transaction) -> Iterator[str]:
    """The names of the queues in which something is ready: one step in the index for each."""
    queue = tx.value("SELECT min(queue) FROM jobs WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL")
    while queue is not None:
        yield queue
        queue = tx.value(
            "SELECT min(queue) FROM jobs WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL AND queue > ?",
            (queue,),
        )


def _ready(tx: Transaction, queue: str, limit: int) -> Iterator[tuple[int, int]]:
    """The best ready jobs of one queue, as sortable pairs (smaller is better) of priority and seq."""
    rows = tx.execute(
        """
        SELECT -priority, seq
          FROM jobs
         WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL
           AND queue = ?
         ORDER BY priority DESC, seq
         LIMIT ?
        """,
        (queue, limit),
    )
    return iter(rows.fetchall())


def _open(tx: Transaction, worker: WorkerKey, seq: int) -> Claim:
    row = tx.execute(
        """
        SELECT id, name, function, args, params, attempts + 1, max_attempts, timeout, retry_on, no_retry_on,
               pass_parent_results, metadata
          FROM jobs
         WHERE seq = ?
        """,
        (seq,),
    ).fetchone()
    job_id, name, function, args, params, attempt, max_attempts, timeout, retry_on, no_retry_on, passing, metadata = row
    execution = tx.execute(
        """
        INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status, started_at)
        VALUES (?, ?, ?, ?, 'running', ?)
        """,
        (seq, attempt, worker.id, worker.seq, tx.stamp),
    )
    return Claim(
        execution_id=execution.lastrowid or 0,
        job_seq=seq,
        job_id=job_id,
        name=name,
        function=function,
        args=args,
        params=params,
        attempt=attempt,
        max_attempts=max_attempts,
        timeout=timeout,
        retry_on=tuple(decode(retry_on)),
        no_retry_on=tuple(decode(no_retry_on)),
        pass_parent_results=None if passing is None else bool(passing),
        metadata=metadata,
        tags=_tags(tx, seq),
        parent_results=None if passing == 0 else _parent_results(tx, seq),
    )


def _tags(tx: Transaction, seq: int) -> tuple[str, ...]:
    return tuple(tag for (tag,) in tx.execute("SELECT tag FROM job_tags WHERE job_seq = ? ORDER BY tag", (seq,)))


def _parent_results(tx: Transaction, seq: int) -> str | None:
    """The results of the parents, in the order of the job's dependencies, as JSON; None without parents."""
    found = tx.execute(
        """
        SELECT jobs.id, coalesce(jobs.result, 'null')
          FROM job_dependencies JOIN jobs ON jobs.seq = job_dependencies.parent
         WHERE job_dependencies.child = ?
         ORDER BY job_dependencies.position
        """,
        (seq,),
    ).fetchall()
    return encode_object(found) if found else None
