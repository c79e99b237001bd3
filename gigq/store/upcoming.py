"""The jobs that come next in each queue, what runs before them, and what holds them back: read as far as asked for."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gigq.clock import from_text
from gigq.store.engine.lists import distinct, listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.limits import recent_starts
from gigq.store.queues import ALL, Rules
from gigq.store.rows import next_row
from gigq.store.tables import OPEN, READY, phase_of

MOST_DUE = 1_000
"""Jobs that wait for a certain time of which the next ones are read."""

_EXPIRES = "CASE WHEN jobs.has_begun = 0 THEN jobs.expires_at END"
"""The SQL of when a job is cancelled if it has not been started: only one that never was."""

_CHUNKS = (16, 256)
"""How many jobs of a queue are read, in turn, after its first: of most queues no more are asked for."""


class Claimable(NamedTuple):
    """A job that may be claimed.

    Attributes:
        rank: its place among all jobs, smaller first: the negative priority, and the seq.
        expires: in how many seconds it is cancelled if it has not been started; infinite for never.
    """

    rank: tuple[int, int]
    queue: str
    function: str
    expires: float = math.inf

    @property
    def seq(self) -> int:
        """The number of its row."""
        return self.rank[1]


class Ready:
    """The ready jobs of one queue in the order in which they are claimed. For one transaction."""

    def __init__(self, tx: Transaction, queue: str, head: Claimable | None) -> None:
        self._rest = self._read(tx, queue)
        self.head = head

    def pop(self) -> None:
        """Go on to the next job."""
        self.head = next(self._rest, None)

    def _read(self, tx: Transaction, queue: str) -> Iterator[Claimable]:
        done = 1
        while True:
            size = next((size for size in _CHUNKS if size > done), _CHUNKS[-1])
            rows = tx.execute(
                f"""
                SELECT -priority, seq, queue, function, {_EXPIRES}
                  FROM jobs INDEXED BY jobs_ready
                 WHERE {READY}
                   AND queue = ?
                 ORDER BY priority DESC, seq
                 LIMIT ? OFFSET ?
                """,
                (queue, size, done),
            ).fetchall()
            yield from (_claimable(tx, *row) for row in rows)
            if len(rows) < size:
                return
            done += size


class Holding(NamedTuple):
    """An open execution.

    Attributes:
        elapsed: how many seconds it has been running; None if its function has not been called.
    """

    worker_seq: int
    job: Claimable
    elapsed: float | None


class Rule(NamedTuple):
    """What holds back the jobs of a queue.

    Attributes:
        starts: when jobs have started in the last period of its rate limit, in seconds from now: negative numbers.
    """

    is_paused: bool
    max_running: int | None
    rate: tuple[int, float] | None
    starts: Sequence[float]


def heads(tx: Transaction) -> dict[str, Claimable]:
    """Return the job of each queue that is claimed first, by queue, of those with ready jobs. One statement for all."""
    rows = tx.execute(
        f"""
        SELECT -jobs.priority, jobs.seq, jobs.queue, jobs.function, {_EXPIRES}
          FROM ({distinct("queue", index="jobs_ready", where=READY)}) AS queues
         CROSS JOIN jobs ON jobs.seq = (SELECT seq
                                          FROM jobs INDEXED BY jobs_ready
                                         WHERE {READY}
                                           AND queue = queues.value
                                         ORDER BY priority DESC, seq
                                         LIMIT 1)
        """
    )
    return {row[2]: _claimable(tx, *row) for row in rows.fetchall()}


def due(tx: Transaction) -> list[tuple[float, Claimable]]:
    """Return the next jobs that wait for a certain time, and in how many seconds it comes: 0 if it has come."""
    rows = tx.execute(
        f"""
        SELECT run_at, -priority, seq, queue, function, {_EXPIRES}
          FROM jobs INDEXED BY jobs_due
         WHERE status = 'pending' AND run_at IS NOT NULL
           AND blockers = 0
         ORDER BY run_at
         LIMIT ?
        """,
        (MOST_DUE,),
    )
    return [(max(0.0, _seconds(tx, run_at)), _claimable(tx, *row)) for run_at, *row in rows.fetchall()]


def holdings(tx: Transaction) -> list[Holding]:
    """Return the open executions, the oldest first."""
    rows = tx.execute(
        f"""
        SELECT executions.worker_seq, executions.started_at, -jobs.priority, jobs.seq, jobs.queue, jobs.function
          FROM executions INDEXED BY executions_open
          JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.{OPEN}
         ORDER BY executions.id
        """
    )
    return [
        Holding(
            worker, Claimable((priority, seq), queue, function), None if at is None else max(0.0, -_seconds(tx, at))
        )
        for worker, at, priority, seq, queue, function in rows.fetchall()
    ]


class RulesOfQueues:
    """What holds back each queue that is asked for. For one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._rules = Rules(tx)
        self.are_all_paused = self._rules[ALL].is_paused

    def __getitem__(self, queue: str) -> Rule:
        rule = self._rules[queue]
        has_rate = rule.rate_limit is not None and rule.rate_period is not None
        return Rule(
            is_paused=rule.is_paused,
            max_running=rule.max_running,
            rate=(rule.rate_limit or 0, rule.rate_period or 0.0) if has_rate else None,
            starts=sorted(_seconds(self._tx, at) for at in recent_starts(self._tx, rule)) if has_rate else (),
        )


def rows(tx: Transaction, jobs: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return what people want to know of these jobs, by their seqs."""
    found: dict[int, dict[str, Any]] = {}
    for portion in portions(jobs):
        seqs, values = listed(portion)
        for row in tx.rows(
            f"""
            SELECT seq, id, name, function, queue, priority, {phase_of("?")} AS phase, run_at
              FROM jobs
             WHERE seq IN {seqs}
            """,
            (tx.stamp, *values),
        ):
            found[row["seq"]] = next_row(row)
    return found


def _claimable(tx: Transaction, priority: int, seq: int, queue: str, function: str, expires: str | None) -> Claimable:
    left = math.inf if expires is None else _seconds(tx, expires)
    return Claimable((priority, seq), queue, function, left)


def _seconds(tx: Transaction, at: str) -> float:
    """Return in how many seconds an instant comes; a negative number if it has passed."""
    return (from_text(at) - tx.now).total_seconds()
