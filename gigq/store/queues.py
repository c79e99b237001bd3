"""What holds the jobs of a named queue back: a pause, and limits of how many run or start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from gigq.clock import from_text, to_text
from gigq.codec import decode, encode
from gigq.records import Claim, QueueRecord
from gigq.store.database import Transaction

ALL = ""
"""The name under which all queues are paused, also those that do not exist yet."""

_COUNTS = {
    "ready": """
        SELECT queue, count(*)
          FROM jobs
         WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL
         GROUP BY queue""",
    "scheduled": "SELECT queue, count(*) FROM jobs WHERE status = 'pending' AND run_at IS NOT NULL GROUP BY queue",
    "running": """
        SELECT jobs.queue, count(*)
          FROM executions INDEXED BY executions_open JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.status = 'running'
         GROUP BY jobs.queue""",
}
"""Queries over the indexes of unfinished jobs."""

_LIMITS_LENGTH = 10_000_000


class Rule(NamedTuple):
    """What a person has said of one queue."""

    is_paused: bool = False
    max_running: int | None = None
    rate_limit: int | None = None
    rate_period: float | None = None
    starts: str | None = None


_NO_RULE = Rule()


class Allowance(NamedTuple):
    """How many jobs of a queue may start now; where that is none, when there may be more, if time alone decides it."""

    number: int
    more_at: datetime | None = None


class Limits:
    """The queues of which something is ready, and what holds each back. For one transaction."""

    def __init__(self, tx: Transaction, queues: Iterable[str] | None) -> None:
        self._tx = tx
        self._rules = rules(tx)
        self._queues = queues

    @property
    def limited(self) -> Collection[str]:
        """Those with a rule."""
        return self._rules.keys()

    def allowances(self, *, at_most: int) -> Iterator[tuple[str, Allowance]]:
        """Each queue, and how many of its jobs may start now."""
        if not self._rules.get(ALL, _NO_RULE).is_paused:
            for queue in _ready_queues(self._tx) if self._queues is None else self._queues:
                yield queue, allowance(self._tx, queue, self._rules.get(queue, _NO_RULE), at_most=at_most)

    def note(self, claims: Iterable[Claim]) -> None:
        """Count what starts now."""
        for queue, number in Counter(claim.queue for claim in claims if claim.queue in self._rules).items():
            note_starts(self._tx, queue, self._rules[queue], number)


def rules(tx: Transaction) -> dict[str, Rule]:
    """Return what has been said of queues, by their names."""
    rows = tx.execute("SELECT name, is_paused, max_running, rate_limit, rate_period, starts FROM job_queues")
    return {name: Rule(bool(is_paused), *limits) for name, is_paused, *limits in rows}


def set_paused(tx: Transaction, queue: str, *, is_paused: bool) -> None:
    """Pause a queue, or `ALL`, whether it exists or not; or let it go on."""
    _write(tx, queue, "is_paused = excluded.is_paused", is_paused=int(is_paused))


def set_limits(
    tx: Transaction, queue: str, *, max_running: int | None, rate_limit: int | None, rate_period: float | None
) -> None:
    """Limit a queue anew; None is no limit. What has started in the last period goes on to count."""
    assignments = (
        "max_running = excluded.max_running, rate_limit = excluded.rate_limit, rate_period = excluded.rate_period"
    )
    _write(tx, queue, assignments, max_running=max_running, rate_limit=rate_limit, rate_period=rate_period)


def allowance(tx: Transaction, queue: str, rule: Rule, *, at_most: int) -> Allowance:
    """Tell how many jobs of a queue may start now, `at_most` or fewer."""
    allowed = Allowance(at_most)
    if rule.is_paused:
        return Allowance(0)
    if rule.max_running is not None:
        allowed = Allowance(min(at_most, max(0, rule.max_running - _running(tx, queue))))
    if rule.rate_limit is not None:
        allowed = min(allowed, _rate_allows(tx, rule), key=attrgetter("number"))
    return allowed


def note_starts(tx: Transaction, queue: str, rule: Rule, number: int) -> None:
    """Count jobs of a queue with a rate limit that start now."""
    if rule.rate_limit is None or number == 0:
        return
    starts = [*_recent(tx, rule), (tx.stamp, number)]
    text = encode(starts, name="starts", limit=_LIMITS_LENGTH)
    tx.execute("UPDATE job_queues SET starts = ? WHERE name = ?", (text, queue))


def is_waited_for(tx: Transaction) -> bool:
    """Whether the end of a job may let another one start that a limit holds back."""
    return tx.value("SELECT 1 FROM job_queues WHERE max_running IS NOT NULL LIMIT 1") is not None


def records(tx: Transaction) -> list[QueueRecord]:
    """Return the queues that hold unfinished jobs or have a rule, in alphabetical order. Reads no finished job."""
    said = rules(tx)
    counts: dict[str, dict[str, int]] = {}
    for name, sql in _COUNTS.items():
        for queue, number in tx.execute(sql):
            counts.setdefault(queue, {})[name] = number
    is_all_paused = said.pop(ALL, _NO_RULE).is_paused
    return [
        _record(tx, queue, said.get(queue, _NO_RULE), counts.get(queue, {}), is_all_paused=is_all_paused)
        for queue in sorted({*said, *counts})
    ]


def _record(tx: Transaction, queue: str, rule: Rule, counts: Mapping[str, int], *, is_all_paused: bool) -> QueueRecord:
    return QueueRecord(
        name=queue,
        is_paused=rule.is_paused or is_all_paused,
        ready=counts.get("ready", 0),
        scheduled=counts.get("scheduled", 0),
        running=counts.get("running", 0),
        oldest_ready_at=_oldest_ready(tx, queue),
        max_running=rule.max_running,
        rate_limit=rule.rate_limit,
        rate_period=rule.rate_period,
    )


def _oldest_ready(tx: Transaction, queue: str) -> datetime | None:
    """Of each priority the index has the oldest job first."""
    oldest = tx.value(
        """
        SELECT min(created_at)
          FROM jobs
         WHERE seq IN (
               SELECT min(seq)
                 FROM jobs
                WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL
                  AND queue = ?
                GROUP BY priority)
        """,
        (queue,),
    )
    return None if oldest is None else from_text(oldest)


def _write(tx: Transaction, queue: str, assignments: str, **values: float | None) -> None:
    tx.has_news = True
    tx.execute(
        f"""
        INSERT INTO job_queues (name, {", ".join(values)})
        VALUES (?, {", ".join("?" * len(values))})
            ON CONFLICT (name) DO UPDATE SET {assignments}
        """,
        (queue, *values.values()),
    )


def _running(tx: Transaction, queue: str) -> int:
    running: int = tx.value(
        """
        SELECT count(*)
          FROM executions INDEXED BY executions_open JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.status = 'running'
           AND jobs.queue = ?
        """,
        (queue,),
    )
    return running


def _rate_allows(tx: Transaction, rule: Rule) -> Allowance:
    """Exact for every stretch of one period, wherever it begins: the starts of the last one are known one by one."""
    limit, recent = rule.rate_limit or 0, _recent(tx, rule)
    free = limit - sum(number for _, number in recent)
    if free > 0 or not recent:
        return Allowance(max(0, free))
    return Allowance(0, from_text(recent[0][0]) + timedelta(seconds=rule.rate_period or 0))


def _recent(tx: Transaction, rule: Rule) -> list[tuple[str, int]]:
    """The starts of the last period, the oldest first: when, and how many. A clock that went back makes some later."""
    since = to_text(tx.now - timedelta(seconds=rule.rate_period or 0))
    return [(at, number) for at, number in decode(rule.starts or "[]") if since < at <= tx.stamp]


def _ready_queues(tx: Transaction) -> Iterator[str]:
    """The names of the queues in which something is ready: one step in the index for each."""
    queue = tx.value("SELECT min(queue) FROM jobs WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL")
    while queue is not None:
        yield queue
        queue = tx.value(
            "SELECT min(queue) FROM jobs WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL AND queue > ?",
            (queue,),
        )
