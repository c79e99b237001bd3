"""The executions of a span of time, with what a list shows of their jobs."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Sequence
from typing import NamedTuple

from gigq.checks import MOST_INTEGER
from gigq.errors import ReadTooLong
from gigq.failing import MOST
from gigq.history_records import ExecutionSummary
from gigq.store.engine.budget import Budget
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import execution_summary
from gigq.store.spans import OVERLAPS, Span, Walk, long_ones

_COLUMNS = f"""
       executions.id, jobs.id AS job_id, jobs.name, jobs.function, jobs.queue, executions.attempt, executions.status,
       executions.worker_id, CASE executions.status WHEN 'running' THEN jobs.updated_at END AS claimed_at,
       executions.started_at, executions.completed_at, executions.error_type,
       substr(executions.error, 1, {MOST}) AS error"""


class Found(NamedTuple):
    """Executions of a span, the newest first.

    Attributes:
        end: all others are below this id; None if there are none.
        looked_at: how many were looked at.
        is_cut: whether the time was over before all were.
    """

    records: list[ExecutionSummary]
    end: int | None
    looked_at: int
    is_cut: bool


def of_span(tx: Transaction, span: Span, budget: Budget, *, limit: int | None, before: int | None = None) -> Found:
    """Return the executions that ran at some instant of a span, the newest first.

    Args:
        limit: the most to return; None for all.
        before: only those below this id.
    """
    found = list[ExecutionSummary]()
    most = -1 if limit is None else min(limit, MOST_INTEGER - 1) + 1

    def look(first: int, last: int) -> int:
        rows = tx.rows(
            f"""
            SELECT {_COLUMNS}
              FROM executions JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.id BETWEEN :first AND :last
               AND {OVERLAPS}
             ORDER BY executions.id DESC
             LIMIT :limit
            """,
            {**span._asdict(), "first": first, "last": last, "limit": most if limit is None else most - len(found)},
        )
        found.extend(map(execution_summary, rows))
        return -1 if len(found) == most else len(rows)

    walk = Walk(tx, span, budget, before=before)
    walk.go(look)
    if len(found) != most and not walk.is_cut:
        walk.is_cut = not _add_long_ones(tx, span, budget, found, before=walk.first)
    if limit is not None and len(found) > limit:
        return Found(found[:limit], found[limit].id + 1, walk.looked_at, False)
    return Found(found, walk.first if walk.is_cut else None, walk.looked_at, walk.is_cut)


def _add_long_ones(tx: Transaction, span: Span, budget: Budget, found: list[ExecutionSummary], *, before: int) -> bool:
    """Add those that the walk has not come to. False if the time was over."""
    try:
        with budget.stopping(tx):
            found += these(tx, long_ones(tx, span, before=before))
    except ReadTooLong:
        return False
    return True


def these(tx: Transaction, executions: Sequence[int]) -> list[ExecutionSummary]:
    """Return these executions, the newest first."""
    found = list[ExecutionSummary]()
    for portion in portions(executions):
        ids, values = listed(portion)
        rows = tx.rows(
            f"""
            SELECT {_COLUMNS}
              FROM executions JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.id IN {ids}
             ORDER BY executions.id DESC
            """,
            values,
        )
        found += map(execution_summary, rows)
    return found
