"""The limits of named queues: how many of their jobs may start now. Exact, as the claim asks in its own transaction."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from gigq.claims import Claim
from gigq.clock import from_text, later, to_text
from gigq.codec import decode, encode
from gigq.store.engine.lists import distinct, listed, portions
from gigq.store.engine.transaction import Transaction
from gigq.store.queues import ALL, MARK, Rule, Rules
from gigq.store.tables import OPEN, READY

_LATEST_CALL = 0.2
"""Seconds after its claim within which a function is called. Exactly when is only known once it has ended."""

_LONGEST_PERIOD = 36_525 * 86_400.0
"""Seconds of a century."""

_FEW_QUEUES, _MOST_QUEUES = 8, 10**9
"""Few are asked one after the other. Of more, no name is read unless it has to be."""

_NOTES_LENGTH = 100_000_000


class Allowance(NamedTuple):
    """How many jobs of a queue may start now; if none, when there may be more, where time alone decides."""

    number: int
    more_at: datetime | None = None


class _Start(NamedTuple):
    """An execution of a queue with a rate limit: when it was claimed, and when it was called, once that is known."""

    execution: int
    claimed_at: str
    at: str | None


class Limits:
    """The queues that a worker serves, and what holds each of them back. For one transaction."""

    def __init__(self, tx: Transaction, queues: Iterable[str] | None) -> None:
        self._tx = tx
        self._rules = Rules(tx)
        self._are_all_paused = self._rules[ALL].is_paused
        # Each queue once, or its jobs would be found twice.
        self._queues = None if queues is None else dict.fromkeys(queues)
        self._left: dict[str, int] = {}

    def is_limited(self, queue: str) -> bool:
        """Whether the queue has a limit."""
        rule = self._rules[queue]
        return not (rule.max_running is None and rule.rate_limit is None)

    def open_queues(self) -> list[str]:
        """Return the queues that are served and not paused, in which ready jobs may be."""
        return self._open_queues(at_most=_MOST_QUEUES) or []

    @cached_property
    def few_queues(self) -> list[str] | None:
        """The same if there are few; None if there are more."""
        return self._open_queues(at_most=_FEW_QUEUES)

    def serves(self, queue: str) -> bool:
        """Whether jobs are taken from this queue: it is served, and not paused."""
        is_served = MARK not in queue if self._queues is None else queue in self._queues
        return is_served and not (self._rules[queue].is_paused or self._are_all_paused)

    def left(self, queue: str, *, at_most: int) -> int:
        """Return how many jobs of this queue may start, before this transaction starts any. Looks that up once."""
        if queue not in self._left:
            self._left[queue] = self._allowance(queue, at_most=at_most).number if self.serves(queue) else 0
        return self._left[queue]

    def reopenings(self) -> Iterator[datetime]:
        """Yield when a job of each queue may start that has ready jobs, and none that may start now."""
        for queue in self._rules.with_rates():
            if self.serves(queue) and _has_ready(self._tx, queue):
                more_at = self._allowance(queue, at_most=1).more_at
                if more_at is not None:
                    yield more_at

    def note(self, claims: Iterable[Claim]) -> None:
        """Count the jobs that start now."""
        started: dict[str, list[int]] = defaultdict(list)
        for claim in claims:
            if self._rules[claim.queue].rate_limit is not None:
                started[claim.queue].append(claim.execution_id)
        for queue, executions in started.items():
            note_starts(self._tx, queue, self._rules[queue], executions)

    def _open_queues(self, *, at_most: int) -> list[str] | None:
        if self._are_all_paused:
            return []
        found = _ready_queues(self._tx, at_most=at_most) if self._queues is None else self._queues
        return [queue for queue in found if self.serves(queue)] if len(found) <= at_most else None

    def _allowance(self, queue: str, *, at_most: int) -> Allowance:
        rule = self._rules[queue]
        running = 0 if rule.max_running is None else self._running[queue]
        return _allowance(self._tx, rule, running, at_most=at_most)

    @cached_property
    def _running(self) -> Counter[str]:
        return running_by_queue(self._tx)


def allowance(tx: Transaction, queue: str, rule: Rule, *, at_most: int) -> Allowance:
    """Return how many jobs of a queue that is not paused may start now, `at_most` or fewer."""
    return _allowance(tx, rule, 0 if rule.max_running is None else running_by_queue(tx)[queue], at_most=at_most)


def _allowance(tx: Transaction, rule: Rule, running: int, *, at_most: int) -> Allowance:
    allowed = Allowance(at_most)
    if rule.max_running is not None:
        allowed = Allowance(min(at_most, max(0, rule.max_running - running)))
    if rule.rate_limit is not None:
        allowed = min(allowed, _rate_allows(tx, rule), key=attrgetter("number"))
    return allowed


def note_starts(tx: Transaction, queue: str, rule: Rule, executions: Iterable[int]) -> None:
    """Note executions of a queue that start now, if it has a rate limit."""
    if rule.rate_limit is not None:
        starts = [*_recent(tx, rule), *(_Start(execution, tx.stamp, None) for execution in executions)]
        text = encode(starts, name="starts", limit=_NOTES_LENGTH)
        tx.execute("UPDATE job_queues SET starts = ? WHERE name = ?", (text, queue))


def instant_of(text: str | None) -> datetime | None:
    """Return an instant that the file holds; None for NULL, and for what somebody else has written there."""
    try:
        return None if text is None else from_text(text)
    except ValueError:
        return None


def is_waited_for(tx: Transaction) -> bool:
    """Whether the end of a job may let another one start, which a limit held back."""
    return tx.value("SELECT 1 FROM job_queues WHERE max_running IS NOT NULL LIMIT 1") is not None


def _ready_queues(tx: Transaction, *, at_most: int) -> list[str]:
    """Return the queues that have ready jobs, one step in the index for each; only some if there are more."""
    first, last = tx.execute(
        f"""
        SELECT (SELECT min(queue) FROM jobs WHERE {READY}),
               (SELECT max(queue) FROM jobs WHERE {READY})
        """
    ).fetchone()
    if first == last:  # most often
        return [] if first is None else [first]
    found = tx.execute(f"{distinct('queue', index='jobs_ready', where=READY)} LIMIT ?", (at_most + 1,))
    return [queue for (queue,) in found]


def _has_ready(tx: Transaction, queue: str) -> bool:
    return tx.value(f"SELECT 1 FROM jobs WHERE {READY} AND queue = ? LIMIT 1", (queue,)) is not None


def running_by_queue(tx: Transaction) -> Counter[str]:
    """Return how many jobs of each queue are running: one statement, however many queues have limits."""
    counts = tx.execute(
        f"""
        SELECT jobs.queue, count(*)
          FROM executions INDEXED BY executions_open JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.{OPEN}
         GROUP BY jobs.queue
        """
    )
    return Counter(dict(counts.fetchall()))


def _rate_allows(tx: Transaction, rule: Rule) -> Allowance:
    """Return what the rate limit allows. Exact for any stretch of one period: each start in the last one is noted."""
    recent = _recent(tx, rule)
    free = (rule.rate_limit or 0) - len(recent)
    if free > 0 or not recent:
        return Allowance(max(0, free))
    oldest = min((start.at for start in recent if start.at is not None), default=tx.stamp)
    return Allowance(0, later(instant_of(oldest) or tx.now, rule.rate_period or 0))


def recent_starts(tx: Transaction, rule: Rule) -> list[str]:
    """Return when jobs of a queue with a rate limit have started in the last period, as far as is known by now."""
    return [start.claimed_at if start.at is None else start.at for start in _recent(tx, rule)]


def _recent(tx: Transaction, rule: Rule) -> list[_Start]:
    """Return what has started in the last period, or may have, as far as is known by now."""
    since = to_text(tx.now - timedelta(seconds=min(rule.rate_period or 0, _LONGEST_PERIOD)))
    noted = _noted(rule)
    rows = _rows(tx, [start.execution for start in noted if start.at is None])
    known = [start if start.at is not None else _looked_up(tx, start, rows) for start in noted]
    # A start in the future was before the clock was set back.
    return [start for start in known if start and (start.at is None or since < start.at <= tx.stamp)]


def _noted(rule: Rule) -> list[_Start]:
    """Return the starts that the queue's row holds; none where somebody has written something else there."""
    try:
        noted = [_Start(*each) for each in decode(rule.starts or "[]")]
    except (ValueError, TypeError, RecursionError):
        return []
    return noted if all(_is_start(each) for each in noted) else []


def _is_start(start: _Start) -> bool:
    """Whether this can be a start. The file could not hold a larger number, or a lone surrogate."""
    instants = [start.claimed_at, *([] if start.at is None else [start.at])]
    is_text = all(isinstance(each, str) and each.isascii() for each in instants)
    return is_text and isinstance(start.execution, int) and abs(start.execution) < 2**63


def _rows(tx: Transaction, executions: Sequence[int]) -> dict[int, tuple[str, object]]:
    """Return the status and start of these executions, except for those that were deleted with their jobs."""
    found: dict[int, tuple[str, object]] = {}
    for portion in portions(executions):
        ids, values = listed(portion)
        rows = tx.execute(f"SELECT id, status, started_at FROM executions WHERE id IN {ids}", values)
        found |= {execution: (status, started_at) for execution, status, started_at in rows}
    return found


def _looked_up(tx: Transaction, start: _Start, rows: dict[int, tuple[str, object]]) -> _Start | None:
    """Return the start with the instant of the call, if that is known by now; None if it was never called."""
    status, at = rows.get(start.execution, ("running", start.claimed_at))
    if not isinstance(at, str):  # given back before it began
        return None
    if status != "running":  # its worker has reported it
        return start._replace(at=at)
    latest = later(instant_of(at) or tx.now, _LATEST_CALL)
    return start._replace(at=to_text(latest)) if latest <= tx.now else start
