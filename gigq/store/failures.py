"""Failures, grouped by what caused them as far as their messages tell.

First those of jobs that are dead, through the index of ended jobs; then those of other jobs, which were tried again.
"""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gigq.errors import ReadTooLong
from gigq.failing import MOST, key_of, without_values
from gigq.store.engine.budget import Budget
from gigq.store.engine.lists import listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.pruning import END, Place
from gigq.store.spans import ENDED, Span, Walk

_JOBS_AT_ONCE = 500

_FAILED = "executions.status IN ('failed', 'timeout', 'lost')"

_COLUMNS = f"""
       jobs.function, executions.error_type, substr(coalesce(executions.error, executions.status), 1, {MOST}),
       executions.completed_at, jobs.seq, jobs.id"""


class Failure(NamedTuple):
    """One execution that failed. Its error is cut."""

    function: str
    error_type: str | None
    error: str
    at: str
    job: int
    job_id: str


class Group(NamedTuple):
    """What makes a group one."""

    function: str
    error_type: str | None
    message: str

    @property
    def key(self) -> str:
        return key_of(self.function, self.error_type, self.message)


class Members:
    """What is in a group."""

    def __init__(self, failure: Failure) -> None:
        self.failures = 0
        self.jobs = set[int]()
        self.dead = set[int]()
        self.first_at = self.last_at = failure.at
        self.newest = failure

    def add(self, failure: Failure) -> None:
        self.failures += 1
        self.jobs.add(failure.job)
        self.first_at = min(self.first_at, failure.at)
        if failure.at >= self.last_at:
            self.last_at, self.newest = failure.at, failure


class Grouping:
    """Failures on their way into groups."""

    def __init__(self) -> None:
        self.groups: dict[Group, Members] = {}
        self._known: dict[tuple[str, str | None, str], Group] = {}

    def add(self, failure: Failure) -> Members:
        group = self._group_of(failure)
        members = self.groups.get(group)
        if members is None:
            members = self.groups[group] = Members(failure)
        members.add(failure)
        return members

    def _group_of(self, failure: Failure) -> Group:
        """Most failures have the same error to the letter as another one."""
        exact = failure[:3]
        if exact not in self._known:
            self._known[exact] = Group(failure.function, failure.error_type, without_values(failure.error))
        return self._known[exact]


def failures(tx: Transaction, span: Span, budget: Budget) -> tuple[dict[Group, Members], Walk]:
    """Return the groups of the failures of a span, and how far the look went."""
    grouping, walk = Grouping(), Walk(tx, span, budget)
    try:
        with budget.stopping(tx):
            walk.is_cut = not _add_dead(tx, span, budget, grouping, walk)
    except ReadTooLong:
        walk.is_cut = True

    def look(first: int, last: int) -> int:
        rows = tx.quickly(
            f"""
            SELECT {_COLUMNS}, jobs.status IN ('failed', 'timeout')
              FROM executions JOIN jobs ON jobs.seq = executions.job_seq
             WHERE executions.id BETWEEN :first AND :last
               AND {_FAILED}
               AND {ENDED}
            """,
            {**span._asdict(), "first": first, "last": last},
        )
        for *row, is_dead in rows:
            if not is_dead:
                grouping.add(Failure(*row))
        return len(rows) or _ended(tx, span, first, last)

    if not walk.is_cut:
        walk.go(look)
    return grouping.groups, walk


def _ended(tx: Transaction, span: Span, first: int, last: int) -> int:
    """Return whether any execution of a range ended in the span: it goes on while others than failures did."""
    found: int = tx.value(
        f"SELECT EXISTS (SELECT 1 FROM executions WHERE executions.id BETWEEN :first AND :last AND {ENDED})",
        {**span._asdict(), "first": first, "last": last},
    )
    return found


def _add_dead(tx: Transaction, span: Span, budget: Budget, grouping: Grouping, walk: Walk) -> bool:
    """Add what dead jobs have failed by, those that ended last first. False if the time was over."""
    for status in ("failed", "timeout"):
        place = END
        while jobs := _dead(tx, status, since=span.since, before=place):
            if budget.is_over:
                return False
            place = Place(*jobs[-1])
            walk.looked_at += _add_failures_of(tx, span, grouping, [seq for _, seq in jobs])
    return True


def _dead(tx: Transaction, status: str, *, since: str, before: Place) -> list[Any]:
    return tx.execute(
        """
        SELECT completed_at, seq
          FROM jobs INDEXED BY jobs_finished
         WHERE status = :status
           AND completed_at IS NOT NULL
           AND completed_at >= :since
           AND (completed_at, seq) < (:completed_at, :seq)
         ORDER BY completed_at DESC, seq DESC
         LIMIT :limit
        """,
        {"status": status, "since": since, **before._asdict(), "limit": _JOBS_AT_ONCE},
    ).fetchall()


def _add_failures_of(tx: Transaction, span: Span, grouping: Grouping, jobs: Sequence[int]) -> int:
    number = 0
    for failure, is_last in _failures_of(tx, jobs):
        number += 1
        if span.since <= failure.at < span.until:
            members = grouping.add(failure)
            if is_last:
                members.dead.add(failure.job)
    return number


def _failures_of(tx: Transaction, jobs: Sequence[int]) -> Iterable[tuple[Failure, bool]]:
    """Yield how dead jobs have failed, and whether that was the last time."""
    for portion in portions(jobs):
        seqs, values = listed(portion)
        rows = tx.quickly(
            f"""
            SELECT {_COLUMNS}
              FROM jobs JOIN executions ON executions.job_seq = jobs.seq
             WHERE jobs.seq IN {seqs}
               AND {_FAILED}
             ORDER BY jobs.seq, executions.id DESC
            """,
            values,
        )
        last = None
        for row in rows:
            failure = Failure(*row)
            yield failure, failure.job != last
            last = failure.job


def of_group(tx: Transaction, jobs: Sequence[int], key: str) -> list[int]:
    """Return those of these dead jobs whose last failure is of this group."""
    keys: dict[tuple[str, str | None, str], str] = {}
    found = list[int]()
    for failure, is_last in _failures_of(tx, jobs):
        if is_last:
            exact = failure[:3]
            if exact not in keys:
                keys[exact] = key_of(failure.function, failure.error_type, without_values(failure.error))
            if keys[exact] == key:
                found.append(failure.job)
    return found
