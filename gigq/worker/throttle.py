"""A limit on how often a worker logs the same problem."""

from __future__ import annotations

from gigq.clock import Clock


class Throttle:
    """Allows something at most once in a number of seconds, so that a lasting problem does not fill the log."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: float | None = None

    def allows(self) -> bool:
        """Whether enough time has passed since this last returned True."""
        now = self._clock.monotonic()
        if self._last is not None and now - self._last < self._seconds:
            return False
        self._last = now
        return True
