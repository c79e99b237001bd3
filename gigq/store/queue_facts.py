"""What holds back the jobs of a queue: its pauses, and its limits where they are reached."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gigq.store.engine.transaction import Transaction
from gigq.store.limits import allowance, instant_of, running_by_queue
from gigq.store.queues import ALL, Rule, Rules


class UsedUpRate(NamedTuple):
    """A rate limit that lets no more jobs start for now.

    Attributes:
        limit: how many jobs may start in a period.
        period: seconds.
        next_at: when the next job may start, if time alone decides it.
    """

    limit: int
    period: float
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFacts:
    """What holds back the jobs of a queue.

    Attributes:
        is_paused: by its own name.
        paused_at: since when; None if it is not, or nobody knows.
        are_all_paused: with all other queues.
        all_paused_at: since when; None if they are not, or nobody knows.
        max_running: the limit of running jobs if it is reached, else None.
        rate: the rate limit if it is used up, else None.
    """

    is_paused: bool
    paused_at: datetime | None
    are_all_paused: bool
    all_paused_at: datetime | None
    max_running: int | None
    rate: UsedUpRate | None


class QueueLook:
    """What holds back each queue that is asked for. For one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._rules = Rules(tx)
        self._running: Counter[str] | None = None

    @property
    def all_paused(self) -> tuple[bool, datetime | None]:
        """Whether all queues are paused, and since when."""
        rule = self._rules[ALL]
        return rule.is_paused, _since(rule)

    def facts(self, queue: str) -> QueueFacts:
        """Return what holds back one queue."""
        rule = self._rules[queue]
        are_all_paused, all_paused_at = self.all_paused
        return QueueFacts(
            is_paused=rule.is_paused,
            paused_at=_since(rule),
            are_all_paused=are_all_paused,
            all_paused_at=all_paused_at,
            max_running=rule.max_running if self._is_full(queue, rule) else None,
            rate=_rate(self._tx, queue, rule),
        )

    def _is_full(self, queue: str, rule: Rule) -> bool:
        if rule.max_running is None:
            return False
        if self._running is None:
            self._running = running_by_queue(self._tx)
        return self._running[queue] >= rule.max_running


def _since(rule: Rule) -> datetime | None:
    return instant_of(rule.paused_at) if rule.is_paused else None


def _rate(tx: Transaction, queue: str, rule: Rule) -> UsedUpRate | None:
    may_start = allowance(tx, queue, rule._replace(max_running=None), at_most=1)
    if may_start.number or rule.rate_limit is None or rule.rate_period is None:
        return None
    return UsedUpRate(rule.rate_limit, rule.rate_period, may_start.more_at)
