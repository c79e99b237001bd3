"""The claim: a worker takes the next ready jobs, as many as it has room for."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Any, NamedTuple

from gigq.claims import Claim
from gigq.codec import encode_object
from gigq.liveness import WorkerKey
from gigq.missing import NOTHING, Lacking
from gigq.store import moves
from gigq.store.due import make_due_ready, next_due, next_expiry
from gigq.store.engine.lists import listed, portions, tabled
from gigq.store.engine.transaction import Transaction
from gigq.store.legacy.missing import NOTES, missing_parents
from gigq.store.limits import Limits, instant_of
from gigq.store.ready import next_jobs
from gigq.store.schedules import next_tick
from gigq.store.tables import OPEN, READY

_Row = tuple[Any, ...]

_NO_EXECUTION = 0
"""Ids of executions begin at 1."""

_NOT_OF_JOBS = ("execution_id", "is_ahead", "tags", "parent_results")
_RENAMED = {"job_seq": "jobs.seq", "job_id": "jobs.id", "attempt": "jobs.attempts + 1"}

OF_JOBS = tuple(name for name in Claim._fields if name not in _NOT_OF_JOBS)
"""The fields of a claim that the row of its job holds."""


def columns(**other: str) -> str:
    """Return the SQL of the columns in which the row of a job holds `OF_JOBS`.

    Args:
        other: what to select for a field, if not the column.
    """
    sources = _RENAMED | other
    return ", ".join(sources.get(name, f"jobs.{name}") for name in OF_JOBS)


_COLUMNS = columns()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a worker has room for.

    Attributes:
        free: slots in which a job would begin at once.
        ahead: how many more jobs it may claim, for slots that are still busy.
        returned: the functions that have returned in this worker before; only these may be claimed ahead.
        suspects: whether it can take a job that may bring the worker down, which it then runs alone. None where such a
            job cannot harm any other.
    """

    free: int
    ahead: int = 0
    returned: Collection[str] = ()
    suspects: bool | None = None


class Outlook(NamedTuple):
    """What a worker may expect of the queue: something to do now, and the next instant at which there may be."""

    is_ready: bool
    next_due: datetime | None


def claim(
    tx: Transaction,
    worker: WorkerKey,
    *,
    room: Room,
    queues: Sequence[str] | None = None,
    lacking: Lacking = NOTHING,
) -> list[Claim]:
    """Take what the worker has room for: jobs of the highest priority first, and among those the oldest.

    Opens an execution for each, which is the worker's lease, and counts the attempt.
    """
    make_due_ready(tx)
    limits = Limits(tx, queues)
    rows = _next(tx, limits, room, lacking)
    # The ids are chosen here and not by SQLite, so that one statement can open all executions.
    first = 1 + (tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'executions'") or 0)
    found = [_claim(first + number, number >= room.free, row) for number, row in enumerate(rows)]
    claims = list(with_relations(tx, _suitable(found, room, limits)))
    for some, start in ((claims[: room.free], tx.stamp), (claims[room.free :], None)):
        for portion in portions(some):
            _take(tx, worker, portion, start=start)
    limits.note(claims)
    return claims


def _claim(execution_id: int, is_ahead: bool, row: _Row) -> Claim:
    """Return a claim without relations. By position, as one is made for every job: by name it takes twice as long."""
    return tuple.__new__(Claim, (execution_id, is_ahead, *row, (), None))


def begin(tx: Transaction, executions: Iterable[int]) -> None:
    """Write that the functions of jobs that were claimed ahead have been called."""
    for execution in executions:
        tx.execute(f"UPDATE executions SET started_at = ? WHERE id = ? AND {OPEN}", (tx.stamp, execution))
        tx.execute(
            f"""
            UPDATE jobs
               SET started_at = :now
             WHERE seq = (SELECT job_seq FROM executions WHERE id = :execution AND {OPEN})
            """,
            {"now": tx.stamp, "execution": execution},
        )


def outlook(
    tx: Transaction, *, queues: Sequence[str] | None = None, lacking: Lacking = NOTHING, has_ticked: bool = False
) -> Outlook:
    """Return whether a claim would find something now, and when else it may. The time it takes does not grow.

    Args:
        has_ticked: this transaction has submitted the jobs of all ticks that have come. One that is still to come then
            is left to another machine, which may know the time zone of its schedule.
    """
    due, tick = instant_of(next_due(tx)), instant_of(next_tick(tx, after=tx.stamp if has_ticked else ""))
    is_ready = any(each is not None and each <= tx.now for each in (due, tick))
    moments = [each for each in (due, tick, instant_of(next_expiry(tx))) if each is not None]
    limits = Limits(tx, queues)
    is_ready = is_ready or bool(next_jobs(tx, limits, most=1, lacking=lacking))
    moments += [] if is_ready else limits.reopenings()
    return Outlook(is_ready, min(moments, default=None))


def _next(tx: Transaction, limits: Limits, room: Room, lacking: Lacking) -> Sequence[_Row]:
    """Return the next ready jobs of these queues, in order."""
    most = room.free + room.ahead
    names = limits.few_queues or ()
    if len(names) == 1 and not limits.is_limited(names[0]) and lacking == NOTHING:
        return _ready(tx, names[0], most)
    return _rows(tx, next_jobs(tx, limits, most=most, lacking=lacking))


def _ready(tx: Transaction, queue: str, limit: int) -> Sequence[_Row]:
    """Return the next ready jobs of one queue, in order."""
    return tx.quickly(
        f"""
        SELECT {_COLUMNS}
          FROM jobs
         WHERE {READY}
           AND queue = :queue
         ORDER BY priority DESC, seq
         LIMIT :limit
        """,
        {"queue": queue, "limit": limit},
    )


def _rows(tx: Transaction, jobs: Sequence[int]) -> Sequence[_Row]:
    """Return these jobs, in this order."""
    found: dict[int, _Row] = {}
    for portion in portions(jobs):
        seqs, values = listed(portion)
        found |= {row[0]: row for row in tx.quickly(f"SELECT {_COLUMNS} FROM jobs WHERE seq IN {seqs}", values)}
    return [found[seq] for seq in jobs]


def _suitable(found: Sequence[Claim], room: Room, limits: Limits) -> Sequence[Claim]:
    """Return the first of these, as many as the worker may take together."""
    suspects = [number for number, claim in enumerate(found) if room.suspects is not None and claim.must_run_alone]
    if suspects[:1] == [0]:
        return found[: bool(room.suspects)]
    together = found[: suspects[0] if suspects else None]
    ahead = takewhile(partial(_may_be_ahead, room, limits), together[room.free :])
    return [*together[: room.free], *ahead]


def _may_be_ahead(room: Room, limits: Limits, claim: Claim) -> bool:
    """Whether a job may be claimed ahead of a free slot.

    A job is not claimed ahead for its last attempt. When a worker dies with a job that it had claimed ahead, nobody
    knows whether the function had been called, and the attempt does not count. Nor is it claimed ahead from a queue
    with limits, which count what starts.
    """
    if limits.is_limited(claim.queue):
        return False
    return claim.function in room.returned and claim.crashes == 0 and claim.attempt < claim.max_attempts


def with_relations(tx: Transaction, claims: Sequence[Claim]) -> Sequence[Claim]:
    """Return these claims with their jobs' tags and the results of their parents."""
    jobs = [claim.job_seq for claim in claims]
    # Both questions at once, and first whether there is anything to ask for: without, they took a tenth of a claim.
    has_tags, has_parents = tx.execute(
        "SELECT EXISTS (SELECT 1 FROM job_tags), EXISTS (SELECT 1 FROM job_dependencies)"
    ).fetchone()
    tags = _tags(tx, jobs) if has_tags else {}
    results = _parent_results(tx, jobs) if has_parents else {}
    for claim in claims:
        if NOTES in str(claim.metadata) and (missing := missing_parents(claim.metadata)):
            results.setdefault(claim.job_seq, []).extend((parent, "null") for parent in missing)
    if not (tags or results):
        return claims
    return [
        claim._replace(
            tags=tuple(tags.get(claim.job_seq, ())),
            parent_results=encode_object(results[claim.job_seq]) if claim.job_seq in results else None,
        )
        for claim in claims
    ]


def _take(tx: Transaction, worker: WorkerKey, claims: Sequence[Claim], *, start: str | None) -> None:
    """Open an execution for each claim, all with the same start, and move the jobs."""
    table, values = tabled(
        [(claim.execution_id, claim.job_seq, claim.attempt) for claim in claims], filler=(_NO_EXECUTION, 0, 0)
    )
    tx.execute(
        f"""
        INSERT INTO executions (status, worker_id, worker_seq, started_at, id, job_seq, attempt)
        SELECT 'running', ?, ?, ?, column1, column2, column3
          FROM {table}
         WHERE column1 > ?
        """,
        (worker.id, worker.seq, start, *values, _NO_EXECUTION),
    )
    moves.claim(tx, [claim.job_seq for claim in claims], worker=worker, start=start)


def _tags(tx: Transaction, jobs: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of those of these jobs that have any."""
    found: dict[int, list[str]] = defaultdict(list)
    for portion in portions(jobs):
        seqs, values = listed(portion)
        for job, tag in tx.execute(f"SELECT job_seq, tag FROM job_tags WHERE job_seq IN {seqs} ORDER BY tag", values):
            found[job].append(tag)
    return found


def _parent_results(tx: Transaction, jobs: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """Return the parents, id and result as JSON, of those of these jobs that have any, in the order they are named."""
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
