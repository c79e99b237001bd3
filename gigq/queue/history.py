"""What was: the executions of a queue, what they cost, why they failed, and what people did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from gigq import checks
from gigq.clock import Clock, Duration, Instant, from_text, later, to_instant, to_past, to_text
from gigq.findings import Findings
from gigq.history_records import (
    ActionRecord,
    AsOf,
    ExecutionSummary,
    FailureGroup,
    FunctionStats,
    Throughput,
)
from gigq.pages import Page
from gigq.percentiles import percentiles
from gigq.status import ExecutionStatus
from gigq.store import actions, as_of, executions, failures, function_costs, reading, throughput
from gigq.store.engine.budget import Budget
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction
from gigq.store.spans import Span, Walk, known_since

T = TypeVar("T")

Window = Duration | Instant | None
"""How long a span of time is that ends now, or when it begins; None for all that the file holds."""

_MOST_BUCKETS = 10_000
_MOST_SECONDS = 10_000 * 366 * 86_400
"""As many as there are from the first year to the last."""


class History:
    """The history of a queue: ``queue.history``. It is read from the file, so that it does not matter who looked when.

    What was pruned or deleted is gone from it. Safe to share between threads. Every method is one read, and takes
    ``within=``: the most time that it may take, as a duration. When that is over it returns what it has found so far,
    the newest, and says so.

    Example:
        >>> from statistics import mean
        >>> from gigq import JobQueue, task
        >>> from gigq.testing import drain
        >>> with JobQueue(":memory:") as queue:
        ...     for number in range(3):
        ...         job_id = queue.enqueue(task(mean, max_attempts=1), [f"order {number}"])
        ...     executions = drain(queue)
        ...     (group,) = queue.history.failures("1h")
        ...     print(group.failures, group.message)
        ...     queue.requeue_jobs(failure=group)
        3 TypeError: can't convert type '…' to numerator/denominator
        3
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def executions(
        self,
        since: Instant | None = None,
        until: Instant | None = None,
        limit: int | None = 1000,
        *,
        after: str | None = None,
        within: Duration | None = None,
    ) -> Page[ExecutionSummary]:
        """Return the executions that ran at some instant of a span, the one that was claimed last first.

        It looks at those that were claimed after the span began, and at ten thousand before them, whatever else the
        file holds. One that had begun earlier is found if it still runs, or if its job ended with it.

        Args:
            since: the beginning of the span; None for that of the file.
            until: its end; None for now.
            limit: the most to return; None for all.
            after: the cursor of the page before.

        Raises:
            ValueError: an invalid instant, limit or cursor.
        """
        most = checks.optional(limit, "limit", checks.count)
        before = None if after is None else _cursor(after)
        span = Span.of(checks.optional(since, "since", to_instant), checks.optional(until, "until", to_instant))
        budget = Budget(within)
        with self._database.read() as tx:
            found = executions.of_span(tx, span, budget, limit=most, before=before)
            bound = reading.newest(tx)
        return Page(
            found.records,
            cursor=None if found.end is None else str(found.end),
            is_cut=found.is_cut,
            looked_at=found.looked_at,
            bound=bound,
        )

    def throughput(
        self, since: Window, bucket: Duration, until: Instant | None = None, *, within: Duration | None = None
    ) -> Findings[Throughput]:
        """Return how many executions ended in each of many short spans of time, the oldest first, also where none did.

        Args:
            since: when the first span begins, cut to a whole second; or how long ago that was.
            bucket: how long each is, in whole seconds or as a duration; at least 1 second.
            until: where the last one ends; None for now.
            within: the most time that this may take. Spans that were not looked at are left out.

        Raises:
            ValueError: an invalid value, or more than 10,000 spans.
        """
        begun, end = self._span(since, until, "since")
        if begun is None:
            raise ValueError("since is None; it must be an instant, or a duration such as 1h")
        begun = begun.replace(microsecond=0)
        length = timedelta(seconds=min(_bucket(bucket), _MOST_SECONDS))
        number = -((begun - end) // length)
        if number > _MOST_BUCKETS:
            raise ValueError(f"bucket is {checks.shown(bucket)}; it makes {number:,} spans, and 10,000 are the most")
        with self._database.read() as tx:
            ends, walk = throughput.ends(tx, Span.of(begun, end), Budget(within))
            found = [*_buckets(ends, begun, end, length)]
            if walk.is_cut:
                first = as_of.begun(tx, walk.first)
                found = [each for each in found if first is not None and each.at >= first]
            return _findings(tx, found, begun, end, walk)

    def functions(
        self, window: Window = "24h", until: Instant | None = None, *, within: Duration | None = None
    ) -> Findings[FunctionStats]:
        """Return what each function cost: its executions that ended in a span, those with most slot seconds first.

        Args:
            window: how long the span is, or the instant at which it begins; None for all that the file holds.
            until: where it ends; None for now.

        Raises:
            ValueError: an invalid value.
        """
        begun, end = self._span(window, until, "window")
        with self._database.read() as tx:
            costs, walk = function_costs.costs(tx, Span.of(begun, end), Budget(within))
            total = sum(each.slot_seconds for each in costs.values())
            found = [_stats(function, cost, total) for function, cost in costs.items()]
            found.sort(key=lambda each: (-each.slot_seconds, -each.runs, each.function))
            return _findings(tx, found, begun, end, walk)

    def failures(
        self, window: Window = "24h", until: Instant | None = None, *, within: Duration | None = None
    ) -> Findings[FailureGroup]:
        """Return the failures of a span by their causes, the cause of most first.

        Executions that failed, timed out or were lost are of one cause if they called the same function and had the
        same class of error, and the same message but for numbers, ids, quoted values and addresses.

        Args:
            window: how long the span is, or the instant at which it begins; None for all that the file holds.
            until: where it ends; None for now.

        Raises:
            ValueError: an invalid value.
        """
        begun, end = self._span(window, until, "window")
        with self._database.read() as tx:
            groups, walk = failures.failures(tx, Span.of(begun, end), Budget(within))
            found = [_group(group, members) for group, members in groups.items()]
            found.sort(key=lambda each: (each.failures, each.last_at, each.key), reverse=True)
            return _findings(tx, found, begun, end, walk)

    def as_of(self, instant: Instant, *, within: Duration | None = None) -> AsOf:
        """Return the queue as it was at an instant, with all that happened at it, as far as the file still tells.

        Args:
            instant: which has passed.
            within: the most time that this may take. If the jobs are counted by then, it returns what it has found.

        Raises:
            ValueError: not an instant, or one that has not come.
            ReadTooLong: the time was over before the jobs were counted.
        """
        at = to_instant(instant, "instant")
        if at > self._clock.now():
            raise ValueError(f"instant is {checks.shown(instant)}, which has not come")
        budget = Budget(within)
        with self._database.read() as tx:
            past = as_of.as_of(tx, at, budget)
        return AsOf(at, past.statuses, tuple(past.running), tuple(_blurs(past, at)))

    def actions(self, limit: int | None = 50, *, within: Duration | None = None) -> list[ActionRecord]:
        """Return what people did to the queue, the newest first: see `JobQueue.acting_as`.

        Args:
            limit: the most to return; None for all that are kept, which are the last 1,000.

        Raises:
            ValueError: an invalid limit.
            ReadTooLong: the time was over.
        """
        most = checks.optional(limit, "limit", checks.count)
        with Budget(within).read(self._database) as tx:
            return actions.records(tx, limit=most)

    def _span(self, window: Window, until: Instant | None, name: str) -> tuple[datetime | None, datetime]:
        now = self._clock.now()
        begun = None if window is None else to_past(window, name, now=now)
        # What ends at this very instant belongs to the span: its end is the first instant that does not.
        end = later(now, 1e-6) if until is None else to_instant(until, "until")
        return begun, end


def _cursor(value: object) -> int:
    text = checks.text(value, "after")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError(f"after is {checks.shown(value)}; it must be the cursor of a page")
    return int(text)


def _bucket(value: Duration) -> int:
    seconds = checks.positive_seconds(value, "bucket")
    if seconds != int(seconds):
        raise ValueError(f"bucket is {checks.shown(value)}; it must be whole seconds, or a duration such as 1m")
    return int(seconds)


def _buckets(ends: throughput.Ends, begun: datetime, end: datetime, length: timedelta) -> Iterator[Throughput]:
    """Yield the spans with what ended in each."""
    counts = dict[int, dict[str, int]]()
    for (second, status), number in ends.items():
        place = (from_text(second) - begun) // length
        by_status = counts.setdefault(place, {})
        by_status[status] = by_status.get(status, 0) + number
    words = [status.value for status in ExecutionStatus if status is not ExecutionStatus.RUNNING]
    for place in range(-((begun - end) // length)):
        at, found = begun + place * length, counts.get(place, {})
        lasted = min(length, end - at).total_seconds()
        if found or lasted > 1e-6:  # or it begins at this very instant
            yield Throughput(at, round(lasted, 3), **{word: found.get(word, 0) for word in words})


def _findings(tx: Transaction, found: list[T], begun: datetime | None, end: datetime, walk: Walk) -> Findings[T]:
    return Findings(
        found,
        since=begun,
        until=min(end, tx.now),
        known_since=known_since(tx),
        is_cut=walk.is_cut,
        looked_at=walk.looked_at,
    )


def _stats(function: str, cost: function_costs.Costs, total: float) -> FunctionStats:
    return FunctionStats(
        function=function,
        runs=cost.runs,
        failures=cost.failures,
        running=percentiles(cost.running),
        waiting=percentiles(cost.waiting),
        slot_seconds=cost.slot_seconds,
        share=cost.slot_seconds / total if total else 0.0,
        wasted_seconds=cost.wasted_seconds,
    )


def _group(group: failures.Group, members: failures.Members) -> FailureGroup:
    return FailureGroup(
        key=group.key,
        function=group.function,
        error_type=group.error_type,
        message=group.message,
        failures=members.failures,
        jobs=len(members.jobs),
        dead=len(members.dead),
        first_at=from_text(members.first_at),
        last_at=from_text(members.last_at),
        job_id=members.newest.job_id,
        error=members.newest.error,
    )


def _blurs(past: as_of.Past, at: datetime) -> Iterator[str]:
    """Yield why it may have been otherwise."""
    if past.known_since is not None and at < past.known_since:
        yield f"Jobs that had ended before {_shown(past.known_since)} may have been deleted since, and are not counted."
    if past.requeued:
        had, was, count = ("job had", "was", "it counts") if past.requeued == 1 else ("jobs had", "were", "they count")
        yield f"{past.requeued:,} {had} ended by then and {was} sent back since; {count} as pending."
    if past.looked_since is not None:
        yield f"Of executions that had begun before {_shown(past.looked_since)}, some may be missing."


def _shown(instant: datetime) -> str:
    return f"{to_text(instant)[:19].replace('T', ' ')} UTC"
