"""How many jobs of a named queue may start now, whoever asks: exact, for it is asked in the claim's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from gigq.clock import from_text, to_text
from gigq.codec import decode, encode
from gigq.records import Claim
from gigq.store.database import Transaction
from gigq.store.lists import listed, portions
from gigq.store.queues import ALL, NO_RULE, Rule, rules

_LATEST_CALL = 0.2
"""Seconds after its claim within which a function is called; only when it has ended is known when it was."""

_NOTES_LENGTH = 100_000_000


class Allowance(NamedTuple):
    """How many jobs of a queue may start now; where that is none, when there may be more, if time alone decides it."""

    number: int
    more_at: datetime | None = None


class Limits:
    """The queues of which something is ready, and what holds each back. For one transaction."""

    def __init__(self, tx: Transaction, queues: Iterable[str] | None) -> None:
        self._tx = tx
        self._rules = rules(tx)
        self._queues = queues
        self._left: dict[str, int] = {}

    @property
    def limited(self) -> Collection[str]:
        """Those with a rule."""
        return self._rules.keys()

    def open_queues(self) -> Iterator[str]:
        """Those that are not paused."""
        if not self._rules.get(ALL, NO_RULE).is_paused:
            for queue in _ready_queues(self._tx) if self._queues is None else self._queues:
                if not self._rules.get(queue, NO_RULE).is_paused:
                    yield queue

    def admits(self, queue: str, *, at_most: int) -> bool:
        """Whether one more job of this queue may start now, and count it. Its limits are looked up when first asked."""
        if queue not in self._rules:
            return True
        if queue not in self._left:
            self._left[queue] = allowance(self._tx, queue, self._rules[queue], at_most=at_most).number
        self._left[queue] -= 1
        return self._left[queue] >= 0

    def allowances(self) -> Iterator[tuple[str, Allowance]]:
        """Each queue that is not paused, and whether one of its jobs may start now."""
        for queue in self.open_queues():
            yield queue, allowance(self._tx, queue, self._rules.get(queue, NO_RULE), at_most=1)

    def note(self, claims: Iterable[Claim]) -> None:
        """Count what starts now."""
        started: dict[str, list[int]] = defaultdict(list)
        for claim in claims:
            if claim.queue in self._rules:
                started[claim.queue].append(claim.execution_id)
        for queue, executions in started.items():
            note_starts(self._tx, queue, self._rules[queue], executions)


def allowance(tx: Transaction, queue: str, rule: Rule, *, at_most: int) -> Allowance:
    """Tell how many jobs of a queue that is not paused may start now, `at_most` or fewer."""
    allowed = Allowance(at_most)
    if rule.max_running is not None:
        allowed = Allowance(min(at_most, max(0, rule.max_running - _running(tx, queue))))
    if rule.rate_limit is not None:
        allowed = min(allowed, _rate_allows(tx, rule), key=attrgetter("number"))
    return allowed


def note_starts(tx: Transaction, queue: str, rule: Rule, executions: Iterable[int]) -> None:
    """Take note of executions of a queue with a rate limit that start now."""
    if rule.rate_limit is not None:
        starts = [*_recent(tx, rule), *((execution, None) for execution in executions)]
        text = encode(starts, name="starts", limit=_NOTES_LENGTH)
        tx.execute("UPDATE job_queues SET starts = ? WHERE name = ?", (text, queue))


def is_waited_for(tx: Transaction) -> bool:
    """Whether the end of a job may let another one start that a limit holds back."""
    return tx.value("SELECT 1 FROM job_queues WHERE max_running IS NOT NULL LIMIT 1") is not None


def _ready_queues(tx: Transaction) -> Iterator[str]:
    """The names of the queues in which something is ready: one step in the index for each."""
    queue = tx.value("SELECT min(queue) FROM jobs WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL")
    while queue is not None:
        yield queue
        queue = tx.value(
            "SELECT min(queue) FROM jobs WHERE status = 'pending' AND blockers = 0 AND run_at IS NULL AND queue > ?",
            (queue,),
        )


def _running(tx: Transaction, queue: str) -> int:
    running: int = tx.value(
        """
        SELECT count(*)
          FROM executions INDEXED BY executions_open JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.status = 'running'
           AND jobs.queue = ?
        """,
        (queue,),
    )
    return running


def _rate_allows(tx: Transaction, rule: Rule) -> Allowance:
    """Exact for every stretch of one period, wherever it begins: the starts of the last one are known one by one."""
    recent = _recent(tx, rule)
    free = (rule.rate_limit or 0) - len(recent)
    if free > 0 or not recent:
        return Allowance(max(0, free))
    oldest = min((from_text(at) for _, at in recent if at is not None), default=tx.now)
    return Allowance(0, oldest + timedelta(seconds=rule.rate_period or 0))


def _recent(tx: Transaction, rule: Rule) -> list[tuple[int, str | None]]:
    """The executions that have started in the last period, and when; None where that is not certain yet."""
    since = to_text(tx.now - timedelta(seconds=rule.rate_period or 0))
    noted: dict[int, str | None] = dict(decode(rule.starts or "[]"))
    unsure = [execution for execution, at in noted.items() if at is None]
    for execution in unsure:
        del noted[execution]  # what was given back before it began, and is not found, did not start
    noted |= _starts(tx, unsure)
    # What is to come was before the clock went back.
    return [(execution, at) for execution, at in noted.items() if at is None or since < at <= tx.stamp]


def _starts(tx: Transaction, executions: Sequence[int]) -> dict[int, str | None]:
    """When these have started, if they have: once they have ended their worker has said when."""
    found: dict[int, str | None] = {}
    for portion in portions(executions):
        ids, values = listed(portion)
        for execution, status, started_at in tx.execute(
            f"SELECT id, status, started_at FROM executions WHERE id IN {ids} AND started_at IS NOT NULL", values
        ):
            found[execution] = started_at if status != "running" else _latest_start(tx, started_at)
    return found


def _latest_start(tx: Transaction, claimed_at: str) -> str | None:
    """When the function of a claim that was made then was called at the latest; None while it may still be."""
    latest = from_text(claimed_at) + timedelta(seconds=_LATEST_CALL)
    return to_text(latest) if latest <= tx.now else None
