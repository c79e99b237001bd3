"""Named queues: pauses, limits, and how many jobs each holds."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Mapping
from typing import Any, NamedTuple

from gigq.clock import from_text
from gigq.queue_records import QueueRecord
from gigq.store.engine.transaction import Transaction
from gigq.store.heads import oldest_ready
from gigq.store.tables import OPEN, READY

ALL = ""
"""The name under which all queues are paused, including those that do not exist yet."""

MARK = "#run-"
"""In the name of a queue: it is private. Only workers that name it serve it."""

_COUNTS = {
    "ready": f"SELECT queue, count(*) FROM jobs WHERE {READY} GROUP BY queue",
    "scheduled": "SELECT queue, count(*) FROM jobs WHERE status = 'pending' AND run_at IS NOT NULL GROUP BY queue",
    "running": f"""
        SELECT jobs.queue, count(*)
          FROM executions INDEXED BY executions_open JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.{OPEN}
         GROUP BY jobs.queue""",
}
"""Queries over the indexes of unfinished jobs."""


_COLUMNS = "name, is_paused, max_running, rate_limit, rate_period, starts, paused_at"
_FEW = 32


class Rule(NamedTuple):
    """What people have set for one queue."""

    is_paused: bool = False
    max_running: int | None = None
    rate_limit: int | None = None
    rate_period: float | None = None
    starts: str | None = None
    paused_at: str | None = None


NO_RULE = Rule()


def rules(tx: Transaction) -> dict[str, Rule]:
    """Return what people have set for queues, by their names."""
    return dict(map(_rule_of, tx.execute(f"SELECT {_COLUMNS} FROM job_queues")))


def rule(tx: Transaction, queue: str) -> Rule:
    """Return what people have set for one queue."""
    return Rules(tx)[queue]


class Rules:
    """What people have set for queues, read once if that is little, or else for each queue when it is asked for."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        found = tx.execute(f"SELECT {_COLUMNS} FROM job_queues LIMIT ?", (_FEW + 1,)).fetchall()
        self._are_few = len(found) <= _FEW
        self._known = dict(map(_rule_of, found)) if self._are_few else {}

    def __getitem__(self, queue: str) -> Rule:
        rule = self._known.get(queue)
        if rule is None:
            found = None
            if not self._are_few:
                found = self._tx.execute(f"SELECT {_COLUMNS} FROM job_queues WHERE name = ?", (queue,)).fetchone()
            rule = self._known[queue] = _rule_of(found)[1] if found else NO_RULE
        return rule

    def with_rates(self) -> list[str]:
        """Return the queues that have a rate limit."""
        return [name for (name,) in self._tx.execute("SELECT name FROM job_queues WHERE rate_limit IS NOT NULL")]


def _rule_of(row: tuple[Any, ...]) -> tuple[str, Rule]:
    name, is_paused, *limits = row
    return name, Rule(bool(is_paused), *limits)


def set_paused(tx: Transaction, queue: str, *, is_paused: bool) -> None:
    """Pause a queue, whether it exists or not, or `ALL`; or resume it. To pause it again changes nothing."""
    tx.has_news = True
    if not is_paused:
        tx.execute("UPDATE job_queues SET is_paused = 0, paused_at = NULL WHERE name = ?", (queue,))
        return
    tx.execute(
        """
        INSERT INTO job_queues (name, is_paused, paused_at)
        VALUES (:queue, 1, :now)
            ON CONFLICT (name) DO UPDATE
           SET is_paused = 1, paused_at = CASE is_paused WHEN 1 THEN paused_at ELSE excluded.paused_at END
        """,
        {"queue": queue, "now": tx.stamp},
    )


def set_limits(
    tx: Transaction, queue: str, *, max_running: int | None, rate_limit: int | None, rate_period: float | None
) -> None:
    """Set a queue's limits; None is no limit. The jobs that started in the last period still count."""
    tx.has_news = True
    tx.execute(
        """
        INSERT INTO job_queues (name, max_running, rate_limit, rate_period)
        VALUES (:queue, :max_running, :rate_limit, :rate_period)
            ON CONFLICT (name) DO UPDATE
           SET max_running = excluded.max_running, rate_limit = excluded.rate_limit, rate_period = excluded.rate_period
        """,
        {"queue": queue, "max_running": max_running, "rate_limit": rate_limit, "rate_period": rate_period},
    )


def records(tx: Transaction, queue: str = ALL) -> list[QueueRecord]:
    """Return the queues that hold unfinished jobs or have a rule, in alphabetical order; or this one, whatever it has.

    Reads no finished job.
    """
    set_by_people = rules(tx)
    counts: dict[str, dict[str, int]] = {}
    for name, sql in _COUNTS.items():
        for counted, number in tx.execute(sql):
            counts.setdefault(counted, {})[name] = number
    of_all = set_by_people.pop(ALL, NO_RULE)
    in_use = {name for name, rule in set_by_people.items() if rule._replace(starts=None) != NO_RULE}
    return [
        _record(tx, name, set_by_people.get(name, NO_RULE), counts.get(name, {}), of_all=of_all)
        for name in ([queue] if queue != ALL else sorted({*in_use, *counts}))
    ]


def _record(tx: Transaction, queue: str, rule: Rule, counts: Mapping[str, int], *, of_all: Rule) -> QueueRecord:
    pauses = [each.paused_at for each in (rule, of_all) if each.is_paused and each.paused_at is not None]
    return QueueRecord(
        name=queue,
        is_paused=rule.is_paused or of_all.is_paused,
        paused_at=from_text(min(pauses)) if pauses else None,
        ready=counts.get("ready", 0),
        scheduled=counts.get("scheduled", 0),
        running=counts.get("running", 0),
        oldest_ready_at=oldest_ready(tx, queue) if counts.get("ready") else None,
        max_running=rule.max_running,
        rate_limit=rule.rate_limit,
        rate_period=rule.rate_period,
    )
