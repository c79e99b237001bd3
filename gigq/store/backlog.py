"""What waits in the whole file, queue by queue, and what holds it back: read from the heads of queues, never by job.

However many jobs there are, it takes a moment: jobs are counted in indexes, and only up to a number.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from gigq.clock import from_text, to_text
from gigq.liveness import WorkerKey
from gigq.store.engine.lists import distinct
from gigq.store.engine.transaction import Transaction
from gigq.store.heads import ready_since
from gigq.store.queue_facts import QueueFacts, QueueLook
from gigq.store.tables import OPEN, READY
from gigq.store.worker_health import WorkerHealth, health

MOST = 10_000
"""Jobs of one queue, or of one kind, that are counted: to a person, more make no difference."""

MOST_QUEUES = 1_000
"""Queues with ready jobs that are looked at, in alphabetical order."""

_ALL_DEPTHS = 1_000
"""Jobs, of all queues together, among which the ones are searched that have waited longest."""

_MOST_FUNCTIONS = 500
_MOST_DUE = 1_000

FEW = 20_000
"""Jobs of which all are looked at."""

_LATE = timedelta(seconds=10)
"""A schedule that is due for longer is overdue: workers look at it at least once a second."""


class Number(NamedTuple):
    """A number of jobs, which is exact or the least that there are."""

    number: int
    is_exact: bool = True


class ReadyJobs(NamedTuple):
    """The jobs of one queue that could start now, but for what holds back the queue.

    Attributes:
        since: since when one of them has been ready: the one that has waited longest, as far as can be told.
        facts: the pauses of the queue, and its limits where they are reached.
    """

    queue: str
    number: Number
    since: datetime
    facts: QueueFacts


class Later(NamedTuple):
    """Jobs that wait for a certain time.

    Attributes:
        retries: how many of them were tried before.
        next_at: the next of these times; None if there are no such jobs.
    """

    number: Number
    retries: Number
    next_at: datetime | None


class Backlog(NamedTuple):
    """What waits in the file at one instant.

    Attributes:
        all_paused_at: since when all queues are paused; None if they are not, or if nobody knows since when.
        queues: the ready jobs of each queue that has some.
        are_all_queues: whether these are all such queues, and not the first `MOST_QUEUES`.
        functions: for each function that a worker does not find, or that is the name of a handler, how many of its
            ready jobs are in which queue.
        later: the pending jobs whose time has not come.
        waiting: how many jobs wait for others to complete; None if there are too many jobs to count them in a moment.
        workers: all workers, and the programs that claim jobs manually.
        last_starts: when the job that began last in each worker that holds any began, by the worker's seq.
        waiters: how many running jobs wait inside their functions for other jobs.
        overdue: schedules whose tick no worker has seen, and the instant of the earliest such tick.
    """

    now: datetime
    are_all_paused: bool
    all_paused_at: datetime | None
    queues: Sequence[ReadyJobs]
    are_all_queues: bool
    functions: Mapping[str, Mapping[str, int]]
    later: Later
    waiting: int | None
    workers: Sequence[WorkerHealth]
    last_starts: Mapping[int, datetime]
    waiters: int
    overdue: Sequence[tuple[str, datetime]]


def backlog(tx: Transaction, *, gone: Collection[WorkerKey]) -> Backlog:
    """Return what waits in the file.

    Args:
        gone: the workers whose process has certainly ended.
    """
    look, workers = QueueLook(tx), health(tx, gone=gone)
    are_all_paused, all_paused_at = look.all_paused
    names = _ready_queues(tx)
    due = _due(tx)
    queues = [*dict.fromkeys([*names[:MOST_QUEUES], *due])]
    return Backlog(
        now=tx.now,
        are_all_paused=are_all_paused,
        all_paused_at=all_paused_at,
        queues=[_ready_jobs(tx, queue, due.get(queue), look, share=len(queues)) for queue in queues],
        are_all_queues=len(names) <= MOST_QUEUES,
        functions=_uncertain_functions(tx, workers),
        later=_later(tx),
        waiting=_waiting(tx),
        workers=workers,
        last_starts=_last_starts(tx),
        waiters=tx.value(
            f"""
            SELECT count(*)
              FROM executions INDEXED BY executions_open
             WHERE {OPEN}
               AND EXISTS (SELECT 1 FROM job_waits WHERE job_waits.execution = executions.id)
            """
        ),
        overdue=_overdue(tx),
    )


class _Due(NamedTuple):
    """Jobs of one queue whose time has come since a worker looked last: at least so many, and since when."""

    number: int
    since: datetime
    is_exact: bool


def _ready_queues(tx: Transaction) -> list[str]:
    sql = distinct("queue", index="jobs_ready", where=READY)
    return [queue for (queue,) in tx.execute(f"{sql} LIMIT ?", (MOST_QUEUES + 1,))]


def _due(tx: Transaction) -> dict[str, _Due]:
    """Return the jobs that are due and that no worker has found to be ready yet: none, if a worker is alive."""
    rows = tx.execute(
        """
        SELECT queue, run_at
          FROM jobs INDEXED BY jobs_due
         WHERE status = 'pending' AND run_at IS NOT NULL
           AND run_at <= :now
           AND blockers = 0
         ORDER BY run_at
         LIMIT :most
        """,
        {"now": tx.stamp, "most": _MOST_DUE},
    ).fetchall()
    numbers, since = Counter(queue for queue, _ in rows), dict[str, str]()
    for queue, run_at in rows:
        since.setdefault(queue, run_at)
    return {queue: _Due(numbers[queue], from_text(since[queue]), len(rows) < _MOST_DUE) for queue in numbers}


def _ready_jobs(tx: Transaction, queue: str, due: _Due | None, look: QueueLook, *, share: int) -> ReadyJobs:
    """Return the ready jobs of a queue, which is one of `share` queues."""
    most = MOST if share <= 100 else MOST // 10
    number: int = tx.value(
        f"SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_ready WHERE {READY} AND queue = ? LIMIT ?)",
        (queue, most + 1),
    )
    since = [ready_since(tx, queue, depth=max(1, min(100, _ALL_DEPTHS // share)))] if number else []
    is_exact = number <= most and (due is None or due.is_exact)
    if due is not None:
        number, since = number + due.number, [*since, due.since]
    return ReadyJobs(
        queue,
        Number(number if is_exact else min(number, most), is_exact),
        min((each for each in since if each is not None), default=tx.now),
        look.facts(queue),
    )


def _uncertain_functions(tx: Transaction, workers: Sequence[WorkerHealth]) -> dict[str, dict[str, int]]:
    """Return the functions of ready jobs that some worker may not find, and the number of these jobs by queue."""
    if not any(each.is_alive and not each.is_manual for each in workers):
        return {}
    functions = tx.execute(
        f"{distinct('function', index='jobs_ready_by_function', where=READY)} LIMIT ?", (_MOST_FUNCTIONS,)
    ).fetchall()
    missing = {function for worker in workers for function in worker.missing}
    return {function: _of_function(tx, function) for (function,) in functions if _is_uncertain(function, missing)}


def _is_uncertain(function: str, missing: Collection[str]) -> bool:
    return function in missing or not {":", "."} & set(function)


def _of_function(tx: Transaction, function: str) -> dict[str, int]:
    found = tx.execute(
        f"""
        SELECT queue, count(*)
          FROM (SELECT queue
                  FROM jobs INDEXED BY jobs_ready_by_function
                 WHERE {READY}
                   AND function = ?
                 LIMIT ?)
         GROUP BY queue
        """,
        (function, MOST),
    )
    return dict(found.fetchall())


def _later(tx: Transaction) -> Later:
    """Return the jobs that wait for a time to come. Retries are counted in an index of their own."""
    number, next_at = tx.execute(
        """
        SELECT count(*), min(run_at)
          FROM (SELECT run_at
                  FROM jobs INDEXED BY jobs_due
                 WHERE status = 'pending' AND run_at IS NOT NULL
                   AND run_at > :now
                 ORDER BY run_at
                 LIMIT :most)
        """,
        {"now": tx.stamp, "most": MOST + 1},
    ).fetchone()
    retries = tx.value(
        """
        SELECT count(*)
          FROM (SELECT 1
                  FROM jobs INDEXED BY jobs_retrying
                 WHERE status = 'pending' AND run_at IS NOT NULL AND attempts > 0
                 LIMIT :most)
        """,
        {"most": MOST + 1},
    )
    return Later(_bounded(number), _bounded(min(retries, number)), None if next_at is None else from_text(next_at))


def _bounded(number: int) -> Number:
    return Number(min(number, MOST), number <= MOST)


def _waiting(tx: Transaction) -> int | None:
    """Return how many jobs wait for others; None if that takes too long, for no index has these."""
    if tx.value("SELECT count(*) FROM (SELECT 1 FROM jobs LIMIT ?)", (FEW + 1,)) > FEW:
        return None
    return int(tx.value("SELECT count(*) FROM jobs WHERE status = 'pending' AND blockers > 0"))


def _last_starts(tx: Transaction) -> dict[int, datetime]:
    rows = tx.execute(
        f"""
        SELECT worker_seq, max(started_at)
          FROM executions INDEXED BY executions_open
         WHERE {OPEN}
           AND started_at IS NOT NULL
         GROUP BY worker_seq
        """
    )
    return {worker: from_text(started_at) for worker, started_at in rows}


def _overdue(tx: Transaction) -> list[tuple[str, datetime]]:
    rows = tx.execute(
        """
        SELECT name, next_at
          FROM job_schedules INDEXED BY schedules_due
         WHERE is_paused = 0 AND next_at IS NOT NULL
           AND next_at < :late
         ORDER BY next_at
         LIMIT :most
        """,
        {"late": to_text(tx.now - _LATE), "most": MOST_QUEUES},
    )
    return [(name, from_text(next_at)) for name, next_at in rows]
