"""What each function cost in a span: its executions that ended in it, how long they ran and their jobs had waited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from gigq.clock import from_text
from gigq.errors import ReadTooLong
from gigq.store.engine.budget import Budget
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.spans import ENDED, Span, Walk, long_ones

# What a job waited is known of its last execution, and where that has failed its end is written over that.
_COLUMNS = """
       jobs.function, executions.status, executions.started_at, executions.completed_at,
       CASE executions.status WHEN 'completed' THEN coalesce(jobs.ready_at, jobs.created_at) END"""

_FAILURES = ("failed", "timeout", "lost")


class Costs:
    """What one function cost; seconds."""

    __slots__ = ("failures", "running", "runs", "slot_seconds", "waiting", "wasted_seconds")

    def __init__(self) -> None:
        self.runs = self.failures = 0
        self.running = list[float]()
        self.waiting = list[float]()
        self.slot_seconds = self.wasted_seconds = 0.0

    def add(self, status: str, started_at: str | None, completed_at: str, ready_at: str | None) -> None:
        self.runs += status != "released"
        self.failures += status in _FAILURES
        if started_at is None:
            return
        begun = from_text(started_at)
        seconds = max(0.0, (from_text(completed_at) - begun).total_seconds())  # the clock may have been set back
        self.slot_seconds += seconds
        if status in _FAILURES or status == "released":
            self.wasted_seconds += seconds
        if status not in ("lost", "released"):  # which ended when somebody noticed, or anywhere
            self.running.append(seconds)
        if ready_at is not None and ready_at <= started_at:
            self.waiting.append((begun - from_text(ready_at)).total_seconds())


def costs(tx: Transaction, span: Span, budget: Budget) -> tuple[dict[str, Costs], Walk]:
    """Return what each function cost in a span, and how far the look went."""
    found = defaultdict[str, Costs](Costs)

    def look(first: int, last: int) -> int:
        rows = tx.quickly(
            f"""
            SELECT {_COLUMNS}
              FROM executions JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.id BETWEEN :first AND :last
               AND {ENDED}
            """,
            {**span._asdict(), "first": first, "last": last},
        )
        _add(found, rows)
        return len(rows)

    walk = Walk(tx, span, budget)
    walk.go(look)
    if not walk.is_cut:
        try:
            with budget.stopping(tx):
                _add_long_ones(tx, span, found, long_ones(tx, span, before=walk.first))
        except ReadTooLong:
            walk.is_cut = True
    return found, walk


def _add(found: dict[str, Costs], rows: Iterable[Any]) -> None:
    for function, *rest in rows:
        found[function].add(*rest)


def _add_long_ones(tx: Transaction, span: Span, found: dict[str, Costs], executions: list[int]) -> None:
    for portion in portions(executions):
        ids, values = listed(portion)
        rows = tx.execute(
            f"""
            SELECT {_COLUMNS}
              FROM executions JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.id IN {ids} AND executions.completed_at >= ? AND executions.completed_at < ?
            """,
            (*values, *span),
        )
        _add(found, rows)
