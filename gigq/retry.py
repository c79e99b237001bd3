"""The wait before a retry, and the choice of the exceptions that are worth one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_HOUR = 3600.0

_SHORTEST_RELEASE = 0.1
"""Seconds. A job that gave itself back without a pause would run thousands of times a second."""


def wait_after_release(delay: float) -> float:
    """Return the seconds until a job that has given itself back may run again."""
    return max(_SHORTEST_RELEASE, delay)


def longest_wait(delay: float, given: float | None) -> float:
    """Return the longest wait before a retry, in seconds: the given one, or an hour, but never less than the first."""
    return max(_HOUR, delay) if given is None else given


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """The numbers by which one job is retried.

    Attributes:
        delay: seconds before the first retry.
        backoff: the factor by which each wait is longer than the one before.
        max_delay: the longest wait, in seconds.
        jitter: the largest share of a wait, from 0 to 1, that is taken off at random.
    """

    delay: float
    backoff: float
    max_delay: float
    jitter: float

    def wait(self, failures: int, *, chance: float) -> float:
        """Return how many seconds to wait before the next attempt.

        Args:
            failures: how many attempts have failed, at least 1.
            chance: a random number from 0 to 1: how much of the jitter to take off.
        """
        if self.delay == 0:
            return 0.0  # also where the power would overflow
        try:
            wait = self.delay * float(self.backoff) ** (failures - 1)
        except OverflowError:
            wait = self.max_delay
        return min(self.max_delay, wait) * (1.0 - self.jitter * chance)


def is_worth_retrying(
    raised: Sequence[frozenset[str]], *, retry_on: Collection[str], no_retry_on: Collection[str]
) -> bool:
    """Decide by the names of the classes of what was raised: of one exception, or of each in a group.

    A list decides about a group if it matches all that is in it. An empty `retry_on` means any, and `no_retry_on` wins.
    """

    def match(wanted: Collection[str]) -> bool:
        return all(not names.isdisjoint(wanted) for names in raised)

    return not match(no_retry_on) and (not retry_on or match(retry_on))
