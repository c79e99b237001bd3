"""What holds the jobs of a named queue back: a pause, and limits of how many run or start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from gigq.clock import from_text
from gigq.records import QueueRecord
from gigq.store.engine.database import Transaction

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


class Rule(NamedTuple):
    """What a person has said of one queue."""

    is_paused: bool = False
    max_running: int | None = None
    rate_limit: int | None = None
    rate_period: float | None = None
    starts: str | None = None


NO_RULE = Rule()


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


def records(tx: Transaction) -> list[QueueRecord]:
    """Return the queues that hold unfinished jobs or have a rule, in alphabetical order. Reads no finished job."""
    said = rules(tx)
    counts: dict[str, dict[str, int]] = {}
    for name, sql in _COUNTS.items():
        for queue, number in tx.execute(sql):
            counts.setdefault(queue, {})[name] = number
    is_all_paused = said.pop(ALL, NO_RULE).is_paused
    return [
        _record(tx, queue, said.get(queue, NO_RULE), counts.get(queue, {}), is_all_paused=is_all_paused)
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
