"""The executions of a span of time, found by their ids: these grow with the instants at which they were claimed.

There is no index over the ends of executions, because every execution would pay for it. So a look goes back from the
newest of the span, step by step, until a long row of executions has none of the span. Those that ran for longer than
all of that row are found by other indexes: the ones that still run, and the ones with which their jobs ended.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from gigq.clock import from_text, to_text
from gigq.errors import ReadTooLong
from gigq.status import PRUNED_BY_DEFAULT
from gigq.store.engine.budget import Budget
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import OPEN

QUIET = 10_000
"""Executions in a row that are not of the span, after which the look ends: 10 ms."""

_FIRST_STEP = 1_000
_STEP = 10_000

OVERLAPS = """
    coalesce(executions.started_at, executions.completed_at, '') < :until
    AND coalesce(executions.completed_at, '~') >= :since"""
"""The SQL of whether an execution of the span was running at some instant of it."""

ENDED = "executions.completed_at >= :since AND executions.completed_at < :until"
"""The SQL of whether it ended in it."""


class Span(NamedTuple):
    """A span of time, as text that is compared with that of the file."""

    since: str
    until: str

    @classmethod
    def of(cls, since: datetime | None, until: datetime | None) -> "Span":
        return cls("" if since is None else to_text(since), "~" if until is None else to_text(until))


class Walk:
    """A look back over the executions of a span, from the newest.

    Attributes:
        looked_at: how many executions were looked at.
        is_cut: whether the time was over before all of the span was.
        first: the first id that was looked at.

    Args:
        before: begin below this id; None for the newest of the span.
        goes_on: do not end after a long row of executions that are not of the span.
    """

    def __init__(
        self, tx: Transaction, span: Span, budget: Budget, *, before: int | None = None, goes_on: bool = False
    ) -> None:
        self.looked_at = 0
        self.is_cut = False
        self.first = before if before is not None else _top(tx, span.until)
        self._tx = tx
        self._budget = budget
        self._goes_on = goes_on or span.since == ""

    def go(self, look: Callable[[int, int], int], *, size: int = _FIRST_STEP) -> None:
        """Look at one range of ids after the other, until one has the right number or there are no more.

        Args:
            look: looks at the executions from one id to another, and returns how many of them are of the span; -1 if
                that is enough.
            size: executions of the first range.
        """
        quiet = 0
        while self._goes_on or quiet < QUIET:
            first, last, number = self._range(size)
            if not number:
                return
            found = self._found(look, first, last)
            if found is None:
                self.is_cut = True
                return
            self.looked_at += number
            self.first, size = first, min(_STEP, 2 * size)
            quiet = quiet + number if found == 0 else 0
            if found < 0:
                return

    def _found(self, look: Callable[[int, int], int], first: int, last: int) -> int | None:
        """Return what a look has found; None if the time was over before."""
        if self._budget.is_over:
            return None
        try:
            with self._budget.stopping(self._tx):
                return look(first, last)
        except ReadTooLong:
            return None

    def _range(self, size: int) -> tuple[int, int, int]:
        row: tuple[int, int, int] = self._tx.execute(
            """
            SELECT min(id), max(id), count(*)
              FROM (SELECT id FROM executions WHERE id < ? ORDER BY id DESC LIMIT ?)
            """,
            (self.first, size),
        ).fetchone()
        return row


def long_ones(tx: Transaction, span: Span, *, before: int) -> list[int]:
    """Return the executions below this id that run, or that ended in the span or later and were their jobs' last.

    What is not found is an execution that was not the last of its job, and that ran while ten thousand others began.
    """
    if tx.value("SELECT 1 FROM executions WHERE id < ?", (before,)) is None:
        return []
    found = tx.execute(
        f"""
        SELECT executions.id
          FROM executions INDEXED BY executions_open
         WHERE executions.{OPEN} AND executions.id < :before AND {OVERLAPS}
         UNION
        SELECT executions.id
          FROM jobs INDEXED BY jobs_finished
          JOIN executions ON executions.job_seq = jobs.seq
         WHERE jobs.status IN ('completed', 'failed', 'timeout', 'cancelled')
           AND jobs.completed_at >= :since
           AND jobs.started_at < :since
           AND executions.id < :before
           AND {OVERLAPS}
         ORDER BY 1 DESC
        """,
        {**span._asdict(), "before": before},
    )
    return [execution for (execution,) in found]


def known_since(tx: Transaction) -> datetime | None:
    """Return the instant before which ended jobs may have been deleted; None if none seem to have been."""
    first: int | None = tx.value("SELECT min(id) FROM executions")
    if first == 1 or (first is None and tx.value("SELECT 1 FROM sqlite_sequence WHERE name = 'executions'") is None):
        return None
    oldest = [
        tx.value("SELECT min(completed_at) FROM jobs WHERE status = ? AND completed_at IS NOT NULL", (status.value,))
        for status in PRUNED_BY_DEFAULT
    ]
    return from_text(min(filter(None, oldest), default=tx.stamp))


def _top(tx: Transaction, until: str) -> int:
    """Return an id above all executions that began before an instant, or few more.

    Those that were claimed ahead began later than others with larger ids; a worker claims 192 ahead at most.
    """
    newest: int = tx.value("SELECT max(id) FROM executions") or 0
    low, high = 1, newest + 1
    while until != "~" and low < high:
        middle = (low + high) // 2
        row = tx.execute(
            """
            SELECT id, coalesce(started_at, completed_at) AS at
              FROM executions
             WHERE id >= ? AND coalesce(started_at, completed_at) IS NOT NULL
             ORDER BY id
             LIMIT 1
            """,
            (middle,),
        ).fetchone()
        if row is None or row[1] >= until:
            high = middle
        else:
            low = row[0] + 1
    return min(high + QUIET, newest + 1)
