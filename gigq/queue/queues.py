"""Named queues as people steer them: their pauses, and their limits, of which only those that are given change."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

from gigq import checks
from gigq.clock import Duration
from gigq.queue_records import QueueRecord
from gigq.store import acting, queues
from gigq.store.engine.budget import Budget
from gigq.store.engine.database import Database
from gigq.store.queues import Rule

_MOST_RUNNING = 1_000_000

Unchanged = EllipsisType
"""``...``: what is not given stays as it is."""


def records(database: Database, queue: str = queues.ALL, *, budget: Budget | None = None) -> list[QueueRecord]:
    """Return the queues that are in use, or this one. It counts jobs, so nobody should wait for it."""
    with database.read() if budget is None else budget.read(database) as tx:
        return queues.records(tx, queue)


def set_paused(database: Database, queue: str | None, *, is_paused: bool) -> list[QueueRecord]:
    """Pause or resume a queue, or all of them, and return those queues. One write transaction."""
    name = queues.ALL if queue is None else checks.text(queue, "queue")
    with database.write() as tx:
        queues.set_paused(tx, name, is_paused=is_paused)
        acting.note(tx, database, "pause" if is_paused else "resume", 1, queue=queue)
    return records(database, name)


def configure(
    database: Database,
    queue: str,
    *,
    max_running: int | Unchanged | None,
    rate_limit: int | Unchanged | None,
    rate_period: Duration | Unchanged,
) -> QueueRecord:
    """Change the limits that are given, and return the queue. One write transaction, or none without a change.

    Raises:
        ValueError: an invalid value, or a period without a rate.
    """
    name, changes = checks.text(queue, "queue"), dict[str, Any]()
    if max_running is not ...:
        changes["max_running"] = checks.optional(max_running, "max_running", _limit)
    if rate_limit is not ...:
        changes["rate_limit"] = checks.optional(rate_limit, "rate_limit", _limit)
    if rate_period is not ...:
        changes["rate_period"] = checks.positive_seconds(rate_period, "rate_period")
    if changes:
        with database.write() as tx:
            rule = _changed(queues.rule(tx, name), changes)
            queues.set_limits(
                tx, name, max_running=rule.max_running, rate_limit=rule.rate_limit, rate_period=rule.rate_period
            )
            acting.note(tx, database, "configure", 1, changes, queue=name)
    return records(database, name)[0]


def _changed(rule: Rule, changes: dict[str, Any]) -> Rule:
    """Return the limits with these changes: a rate has a period, of 1 s by default, and nothing else has one."""
    new = rule._replace(**changes)
    if new.rate_limit is not None:
        return new if new.rate_period is not None else new._replace(rate_period=1.0)
    if "rate_period" in changes:
        raise ValueError(f"rate_period is {changes['rate_period']:.15g}, without a rate_limit; give both")
    return new._replace(rate_period=None)


def _limit(value: int, name: str) -> int:
    return checks.whole(value, name, least=1, most=_MOST_RUNNING, or_else=", or None for no limit")
