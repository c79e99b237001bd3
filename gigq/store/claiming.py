"""How a worker takes jobs: the best of what is ready, and what has become due."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby, islice, takewhile
from operator import attrgetter
from typing import Any, NamedTuple

from gigq.claims import Claim
from gigq.codec import encode_object
from gigq.liveness import WorkerKey
from gigq.store.due import expire, next_expiry
from gigq.store.engine.database import Transaction
from gigq.store.engine.lists import listed, portions, tabled
from gigq.store.limits import Limits, instant_of
from gigq.store.schedules import next_tick

_Row = tuple[Any, ...]

_FIELDS = """
    seq, id, name, queue, function, args, params, attempts + 1, max_attempts, timeout, retry_on, no_retry_on,
    pass_parent_results, metadata, crashes"""
"""Those of `Claim`, from the third on, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a worker has room for.

    Attributes:
        free: slots in which a job would begin at once.
        ahead: the most jobs for slots that are still busy.
        returned: the functions that have returned in this worker before; only these may be claimed ahead.
        suspects: whether a job that may bring the worker down can be taken, and then alone. None where it could take no
            other down with it.
    """

    free: int
    ahead: int = 0
    returned: Collection[str] = ()
    suspects: bool | None = None


class Outlook(NamedTuple):
    """What a worker may expect of the queue."""

    is_ready: bool
    next_due: datetime | None


def claim(
    tx: Transaction,
    worker: WorkerKey,
    *,
    room: Room,
    queues: Sequence[str] | None = None,
) -> list[Claim]:
    """Take what the worker has room for: the highest priority first, then the oldest.

    Opens an execution for each, which is the worker's lease, and counts the attempt.
    """
    make_due_ready(tx)
    limits = Limits(tx, queues)
    rows = _best(tx, limits, room)
    # The ids are chosen here and not by SQLite: then one statement opens all executions.
    first = 1 + (tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'executions'") or 0)
    best = [Claim(first + number, number >= room.free, *row) for number, row in enumerate(rows)]
    claims = _complemented(tx, _suitable(best, room, limits))
    for is_ahead, some in groupby(claims, key=attrgetter("is_ahead")):
        for portion in portions(list(some)):
            _take(tx, worker, portion, start=None if is_ahead else tx.stamp)
    limits.note(claims)
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
    """Move what has become due into the index of ready jobs, where a claim finds it, and cancel what has expired."""
    expire(tx)
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
    due = instant_of(tx.value("SELECT min(run_at) FROM jobs WHERE status = 'pending' AND run_at IS NOT NULL"))
    tick = instant_of(next_tick(tx))
    is_ready = any(each is not None and each <= tx.now for each in (due, tick))
    moments = [each for each in (due, tick, instant_of(next_expiry(tx))) if each is not None]
    for queue, allowed in Limits(tx, queues).allowances():
        if (allowed.number or allowed.more_at) and _places(tx, queue, 1):
            is_ready |= allowed.number > 0
            moments += [] if allowed.more_at is None else [allowed.more_at]
    return Outlook(is_ready, min(moments, default=None))


def _best(tx: Transaction, limits: Limits, room: Room) -> Sequence[_Row]:
    """The best ready jobs of these queues, the very best first."""
    most = room.free + room.ahead
    names = list(limits.open_queues())
    if len(names) == 1 and names[0] not in limits.limited:
        return _ready(tx, names[0], most)
    places = heapq.merge(*([(*place, name) for place in _places(tx, name, most)] for name in names))
    return _rows(tx, list(islice((seq for _, seq, name in places if limits.admits(name, at_most=most)), most)))


def _ready(tx: Transaction, queue: str, limit: int) -> Sequence[_Row]:
    """The best ready jobs of one queue."""
    return tx.quickly(
        f"""
        SELECT {_FIELDS}
          FROM jobs
         WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL
           AND queue = ?
         ORDER BY priority DESC, seq
         LIMIT ?
        """,
        (queue, limit),
    )


def _places(tx: Transaction, queue: str, limit: int) -> list[tuple[int, int]]:
    """Where the best ready jobs of one queue stand among all: smaller is better. Read from the index alone."""
    return tx.execute(
        """
        SELECT -priority, seq
          FROM jobs
         WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL
           AND queue = ?
         ORDER BY priority DESC, seq
         LIMIT ?
        """,
        (queue, limit),
    ).fetchall()


def _rows(tx: Transaction, jobs: Sequence[int]) -> Sequence[_Row]:
    """These jobs, in this order."""
    found: dict[int, _Row] = {}
    for portion in portions(jobs):
        seqs, values = listed(portion)
        found |= {row[0]: row for row in tx.quickly(f"SELECT {_FIELDS} FROM jobs WHERE seq IN {seqs}", values)}
    return [found[seq] for seq in jobs]


def _suitable(best: Sequence[Claim], room: Room, limits: Limits) -> list[Claim]:
    """As many of these, the best first, as the worker may take together."""
    suspects = [number for number, claim in enumerate(best) if room.suspects is not None and claim.must_run_alone]
    if suspects[:1] == [0]:
        return list(best[: bool(room.suspects)])
    return list(takewhile(partial(_is_suitable, room, limits.limited), best[: suspects[0] if suspects else None]))


def _is_suitable(room: Room, limited: Collection[str], claim: Claim) -> bool:
    """Whether a job has a slot, or may be claimed ahead of one.

    Not ahead for its last attempt: when a worker dies with a job that it had claimed ahead, nobody knows whether the
    function had been called, and the attempt does not count. Nor from a queue with limits: they count what starts.
    """
    if not claim.is_ahead:
        return True
    if claim.queue in limited:
        return False
    return claim.function in room.returned and claim.crashes == 0 and claim.attempt < claim.max_attempts


def _complemented(tx: Transaction, claims: Sequence[Claim]) -> list[Claim]:
    """These claims with what other tables know of their jobs."""
    jobs = [claim.job_seq for claim in claims]
    tags, results = _tags(tx, jobs), _parent_results(tx, jobs)
    if not (tags or results):
        return list(claims)
    return [
        claim._replace(
            tags=tuple(tags[claim.job_seq]),
            parent_results=encode_object(results[claim.job_seq]) if claim.job_seq in results else None,
        )
        for claim in claims
    ]


def _take(tx: Transaction, worker: WorkerKey, claims: Sequence[Claim], *, start: str | None) -> None:
    """Open an execution for each claim, all with the same start. All are pending: this transaction has the lock."""
    table, values = tabled([(claim.execution_id, claim.job_seq, claim.attempt) for claim in claims])
    tx.execute(
        f"""
        INSERT INTO executions (id, job_seq, attempt, worker_id, worker_seq, status, started_at)
        SELECT column1, column2, column3, ?, ?, 'running', ?
          FROM {table}
         WHERE column1 IS NOT NULL
        """,
        (worker.id, worker.seq, start, *values),
    )
    seqs, values = listed([claim.job_seq for claim in claims])
    tx.execute(
        f"""
        UPDATE jobs
           SET status = 'running', attempts = attempts + 1, started_at = ?, updated_at = ?, worker_id = ?,
               progress = NULL
         WHERE seq IN {seqs}
        """,
        (start, tx.stamp, worker.id, *values),
    )


def _tags(tx: Transaction, jobs: Sequence[int]) -> dict[int, list[str]]:
    """The tags of those of these jobs that have any."""
    found: dict[int, list[str]] = defaultdict(list)
    for portion in portions(jobs):
        seqs, values = listed(portion)
        for job, tag in tx.execute(f"SELECT job_seq, tag FROM job_tags WHERE job_seq IN {seqs} ORDER BY tag", values):
            found[job].append(tag)
    return found


def _parent_results(tx: Transaction, jobs: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """The parents of those of these jobs that have any, in the order of the job's dependencies: id, result as JSON."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for portion in portions(jobs):
        seqs, values = listed(portion)
        rows = tx.execute(
            f"""
            SELECT job_dependencies.child, jobs.id, coalesce(jobs.result, 'null')
              FROM job_dependencies JOIN jobs ON jobs.seq = job_dependencies.parent
             WHERE job_dependencies.child IN {seqs}
             ORDER BY job_dependencies.child, job_dependencies.position
            """,
            values,
        )
        for job, parent, result in rows:
            found[job].append((parent, result))
    return found
