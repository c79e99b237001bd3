"""How long to wait after the n-th failure, and which exceptions are worth another try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """The retry numbers of one job, as they stand on its row.

    Attributes:
        delay: seconds before the first retry.
        backoff: each later wait is this many times the one before.
        max_delay: no wait is longer, in seconds.
        jitter: up to this share of a wait (0 to 1) is taken off at random.
    """

    delay: float
    backoff: float
    max_delay: float
    jitter: float

    def wait(self, failures: int, *, chance: float) -> float:
        """Return the seconds to wait after so many failures (from 1).

        Args:
            failures: the attempts that have failed.
            chance: a random number from 0 to 1; how much of the jitter is taken.
        """
        if self.delay == 0:
            return 0.0  # also where the power would overflow
        try:
            wait = self.delay * float(self.backoff) ** (failures - 1)
        except OverflowError:
            wait = self.max_delay
        return min(self.max_delay, wait) * (1.0 - self.jitter * chance)


def is_worth_retrying(names: Iterable[str], *, retry_on: Iterable[str], no_retry_on: Iterable[str]) -> bool:
    """Decide by the names of an exception's classes; an empty `retry_on` means any, `no_retry_on` wins."""
    known = frozenset(names)
    if not known.isdisjoint(no_retry_on):
        return False
    wanted = frozenset(retry_on)
    return not wanted or not known.isdisjoint(wanted)
