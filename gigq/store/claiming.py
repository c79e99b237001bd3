"""How a worker takes jobs: the best of what is ready, and what has become due."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import Any, NamedTuple

from gigq.clock import from_text
from gigq.codec import decode, encode_object
from gigq.liveness import WorkerKey
from gigq.records import Claim
from gigq.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What may be claimed for slots that are still busy: few, and nothing that could take the others down with it.

    Attributes:
        limit: the most jobs.
        functions: those that have returned in this worker before.
    """

    limit: int = 0
    functions: Collection[str] = ()


class Outlook(NamedTuple):
    """What a worker may expect of the queue."""

    is_ready: bool
    next_due: datetime | None


def claim(
    tx: Transaction,
    worker: WorkerKey,
    *,
    limit: int,
    queues: Sequence[str] | None = None,
    ahead: Ahead = Ahead(),
) -> list[Claim]:
    """Take up to `limit` jobs for this worker, and some ahead: the highest priority first, then the oldest.

    Opens an execution for each, which is the worker's lease, and counts the attempt.
    """
    make_due_ready(tx)
    most = limit + ahead.limit
    best = list(islice(heapq.merge(*(_ready(tx, queue, most) for queue in queues or _ready_queues(tx))), most))
    harmless = takewhile(lambda row: row[2] in ahead.functions and row[3] == 0, best[limit:])
    chosen = [seq for _, seq, _, _ in (*best[:limit], *harmless)]
    claims = _claims(tx, chosen, ready=limit) if chosen else []
    for chunk in _chunks(claims[:limit]):
        _take(tx, worker, chunk, start=tx.stamp)
    for chunk in _chunks(claims[limit:]):
        _take(tx, worker, chunk, start=None)
    return claims


def begin(tx: Transaction, executions: Iterable[int]) -> None:
    """Write that the functions of jobs that were claimed ahead have been called."""
    for execution in executions:
        tx.execute("UPDATE executions SET started_at = ? WHERE id = ? AND status = 'running'", (tx.stamp, execution))
        tx.execute(
            """
            UPDATE jobs
               SET started_at = ?
             WHERE seq = (SELECT job_seq FROM executions WHERE id = ? AND status = 'running')
            """,
            (tx.stamp, execution),
        )


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


def outlook(tx: Transaction, *, queues: Sequence[str] | None = None) -> Outlook:
    """Tell whether a claim would find something now, and when else. Takes microseconds, however long the queue is."""
    due = tx.value("SELECT min(run_at) FROM jobs WHERE status = 'pending' AND run_at IS NOT NULL")
    if due is not None and due <= tx.stamp:
        return Outlook(True, None)
    is_ready = any(next(_ready(tx, queue, 1), None) is not None for queue in queues or _ready_queues(tx))
    return Outlook(is_ready, None if due is None else from_text(due))


def _ready_queues(tx: Transaction) -> Iterator[str]:
    """The names of the queues in which something is ready: one step in the index for each."""
    queue = tx.value("SELECT min(queue) FROM jobs WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL")
    while queue is not None:
        yield queue
        queue = tx.value(
            "SELECT min(queue) FROM jobs WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL AND queue > ?",
            (queue,),
        )


def _ready(tx: Transaction, queue: str, limit: int) -> Iterator[tuple[int, int, str, int]]:
    """The best ready jobs of one queue, sortable (smaller is better): priority, seq, function, crashes."""
    rows = tx.execute(
        """
        SELECT -priority, seq, function, crashes
          FROM jobs
         WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL
           AND queue = ?
         ORDER BY priority DESC, seq
         LIMIT ?
        """,
        (queue, limit),
    )
    return iter(rows.fetchall())


def _claims(tx: Transaction, seqs: Sequence[int], *, ready: int) -> list[Claim]:
    """The claims on these jobs, in this order; those after the first `ready` are claimed ahead."""
    marks = ", ".join("?" * len(seqs))
    rows = tx.execute(
        f"""
        SELECT seq, id, name, function, args, params, attempts + 1, max_attempts, timeout, retry_on, no_retry_on,
               pass_parent_results, metadata
          FROM jobs
         WHERE seq IN ({marks})
        """,
        seqs,
    )
    by_seq = {row[0]: row for row in rows}
    tags = _tags(tx, seqs, marks)
    # The ids are chosen here and not by SQLite: then one executemany opens all executions.
    last = tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'executions'") or 0
    return [
        _claim(tx, by_seq[seq], last + number, tags=tags[seq], is_ahead=number > ready)
        for number, seq in enumerate(seqs, start=1)
    ]


def _claim(tx: Transaction, row: Sequence[Any], execution_id: int, *, tags: Sequence[str], is_ahead: bool) -> Claim:
    seq, job_id, name, function, args, params, attempt, most, timeout, retry_on, no_retry_on, passing, metadata = row
    return Claim(
        execution_id=execution_id,
        job_seq=seq,
        job_id=job_id,
        name=name,
        function=function,
        args=args,
        params=params,
        attempt=attempt,
        max_attempts=most,
        timeout=timeout,
        retry_on=tuple(decode(retry_on)),
        no_retry_on=tuple(decode(no_retry_on)),
        pass_parent_results=None if passing is None else bool(passing),
        metadata=metadata,
        tags=tuple(tags),
        parent_results=None if passing == 0 else _parent_results(tx, seq),
        is_ahead=is_ahead,
    )


def _take(tx: Transaction, worker: WorkerKey, claims: Sequence[Claim], *, start: str | None) -> None:
    """Open an execution for each claim, all with the same start, by one statement for each table."""
    values = [value for claim in claims for value in (claim.execution_id, claim.job_seq, claim.attempt)]
    tx.execute(
        f"""
        INSERT INTO executions (id, job_seq, attempt, worker_id, worker_seq, status, started_at)
        SELECT column1, column2, column3, ?, ?, 'running', ?
          FROM (VALUES {", ".join(["(?, ?, ?)"] * len(claims))})
        """,
        (worker.id, worker.seq, start, *values),
    )
    tx.execute(
        f"""
        UPDATE jobs
           SET status = 'running', attempts = attempts + 1, started_at = ?, updated_at = ?, worker_id = ?
         WHERE seq IN ({", ".join("?" * len(claims))})
           AND status = 'pending'
        """,
        (start, tx.stamp, worker.id, *(claim.job_seq for claim in claims)),
    )


def _tags(tx: Transaction, seqs: Sequence[int], marks: str) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for seq, tag in tx.execute(f"SELECT job_seq, tag FROM job_tags WHERE job_seq IN ({marks}) ORDER BY tag", seqs):
        found[seq].append(tag)
    return found


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


def _chunks(claims: Sequence[Claim]) -> Iterator[Sequence[Claim]]:
    """Of a hundred: three values for each, and SQLite takes at least 999."""
    return (claims[start : start + 100] for start in range(0, len(claims), 100))
