"""The throughput of the last minutes, and how long jobs waited and ran."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from gigq.clock import from_text, to_text
from gigq.status import ExecutionStatus
from gigq.store.engine.transaction import Transaction

_WINDOWS = {"1m": 60.0, "5m": 300.0, "60m": 3600.0}

_STEP = 10_000
"""Executions that one statement covers on the way back from the newest."""

_SAMPLE = 10_000
"""The most executions from which the percentiles of a window are taken; of more, every second, third and so on."""

_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
_TIMED = ("completed", "failed", "timeout", "cancelled")
"""The ends of executions that are the ends of their functions. A lost one ends when somebody notices."""


class _Window(NamedTuple):
    """A span of time up to now.

    Attributes:
        since: when it begins.
        first: no execution with a smaller id began or ended in it, except for a few that took very long.
        last: the newest execution.
        stride: one in this many executions is used for percentiles.
    """

    since: str
    first: int
    last: int
    stride: int


class _Ended(NamedTuple):
    """An execution that has ended."""

    status: str
    attempt: int
    started_at: str | None
    completed_at: str


class _Part(NamedTuple):
    """The executions of one status in one step back: the first id, the latest instant, and how many ended in time."""

    status: str
    first: int
    latest: str
    ended: int
    retried: int


def windows(tx: Transaction) -> dict[str, dict[str, Any]]:
    """Return what happened in the last 1, 5 and 60 minutes: how many executions ended in each way, and percentiles.

    It reads the executions of that time, and up to 20,000 before them, from the newest back.
    """
    return {name: _window(tx, seconds) for name, seconds in _WINDOWS.items()}


def _window(tx: Transaction, seconds: float) -> dict[str, Any]:
    window, ends = _walk(tx, to_text(tx.now - timedelta(seconds=seconds)))
    long = _long_ones(tx, window)
    ends.update(each.status for each in long)
    ends["retried"] += sum(each.attempt > 1 for each in long)
    running = [*_sampled_ends(tx, window), *long]
    return {
        **{word: ends[word] for word in _COUNTED},
        "waiting": _percentiles(_waits(tx, window)),
        "running": _percentiles(
            _between(each.started_at, each.completed_at)
            for each in running
            if each.started_at is not None and each.status in _TIMED
        ),
    }


_COUNTED = (*(status.value for status in ExecutionStatus if status is not ExecutionStatus.RUNNING), "retried")


def _walk(tx: Transaction, since: str) -> tuple[_Window, Counter[str]]:
    """Go back from the newest execution, step by step, until no execution of a step began or ended in the window.

    Ids grow with the time of the claim, so this leaves out only those that took longer than that whole step. There is
    no index over the ends of executions, because every execution would pay for it.
    """
    ends = Counter[str]()
    last: int = tx.value("SELECT max(id) FROM executions") or 0
    first = last + 1
    while step := _step_back(tx, first, since):
        if max(each.latest for each in step) < since:
            break
        for each in step:
            ends.update({each.status: each.ended, "retried": each.retried})
        first = min(each.first for each in step)
    number = ends.total() - ends["retried"]
    return _Window(since, first, last, max(1, math.ceil(number / _SAMPLE))), ends


def _step_back(tx: Transaction, before: int, since: str) -> list[_Part]:
    rows = tx.execute(
        """
        SELECT status, min(id), max(coalesce(completed_at, started_at, '~')),
               count(*) FILTER (WHERE completed_at >= :since),
               count(*) FILTER (WHERE completed_at >= :since AND attempt > 1)
          FROM (SELECT id, status, attempt, started_at, completed_at
                  FROM executions
                 WHERE id < :before
                 ORDER BY id DESC
                 LIMIT :step)
         GROUP BY status
        """,
        {"before": before, "step": _STEP, "since": since},
    )
    return [_Part(*row) for row in rows]


_SAMPLED = """
    WITH RECURSIVE sample (id) AS (
         VALUES (:first)
         UNION ALL
         SELECT id + :stride FROM sample WHERE id + :stride <= :last)"""
"""The ids of executions of a window, evenly spaced."""


def _sampled_ends(tx: Transaction, window: _Window) -> list[_Ended]:
    rows = tx.execute(
        f"""
        {_SAMPLED}
        SELECT status, attempt, started_at, completed_at
          FROM sample CROSS JOIN executions ON executions.id = sample.id
         WHERE completed_at >= :since
        """,
        window._asdict(),
    )
    return [_Ended(*row) for row in rows]


def _long_ones(tx: Transaction, window: _Window) -> list[_Ended]:
    """Return the last executions of jobs that ended in the window, but were claimed before all that it covers."""
    rows = tx.execute(
        """
        SELECT executions.status, executions.attempt, executions.started_at, executions.completed_at
          FROM jobs INDEXED BY jobs_finished
          JOIN executions ON executions.job_seq = jobs.seq
         WHERE jobs.status IN ('completed', 'failed', 'timeout', 'cancelled')
           AND jobs.completed_at >= :since
           AND jobs.started_at < :since
           AND executions.id < :first
           AND executions.completed_at >= :since
        """,
        window._asdict(),
    )
    return [_Ended(*row) for row in rows]


def _waits(tx: Transaction, window: _Window) -> list[float]:
    """Return how long jobs that began in the window had waited: from the submit to their first start."""
    rows = tx.execute(
        f"""
        {_SAMPLED}
        SELECT jobs.created_at, executions.started_at
          FROM sample CROSS JOIN executions ON executions.id = sample.id
          JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.started_at >= :since
           AND NOT EXISTS (
               SELECT 1
                 FROM executions AS earlier
                WHERE earlier.job_seq = executions.job_seq AND earlier.id < executions.id
                  AND earlier.started_at IS NOT NULL)
        """,
        window._asdict(),
    )
    return [_between(submitted, started) for submitted, started in rows]


def _percentiles(values: Iterable[float]) -> dict[str, float | None]:
    """Return percentiles by the nearest rank: each is a value that occurred."""
    ordered = sorted(values)
    return {name: _ranked(ordered, share) for name, share in _PERCENTILES.items()}


def _ranked(ordered: Sequence[float], share: float) -> float | None:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _between(start: str, end: str) -> float:
    """Return the seconds between; none are negative because the clock was set back."""
    return max(0.0, (from_text(end) - from_text(start)).total_seconds())
