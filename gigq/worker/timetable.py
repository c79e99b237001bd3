"""The moments at which a worker's loop has something to do though nothing has happened."""

from __future__ import annotations

from gigq.clock import Clock
from gigq.store.claiming import Outlook
from gigq.worker.options import WorkerOptions

PAUSE_AFTER_ERROR = 1.0
"""Seconds after a failed transaction before the next one."""

_BEATS_PER_LEASE = 10
_LONGEST_BEAT = 1.0
_FIRST_PROBE, _LAST_PROBE = 0.005, 0.05
_SOON = 10.0


class Timetable:
    """When the heartbeat is due, and how long the loop may wait. Belongs to the loop's thread.

    Attributes:
        beat_interval: seconds between two heartbeats.
    """

    def __init__(self, options: WorkerOptions, clock: Clock) -> None:
        self.beat_interval = min(options.lease / _BEATS_PER_LEASE, _LONGEST_BEAT)
        self._longest_wait = max(options.polling_interval, _FIRST_PROBE)
        self._clock = clock
        self._beat_at = clock.monotonic()
        self._probe = _FIRST_PROBE

    @property
    def is_beat_due(self) -> bool:
        """Whether it is time for a heartbeat."""
        return self._clock.monotonic() >= self._beat_at

    def beat_now(self) -> None:
        """Make the heartbeat due."""
        self._beat_at = self._clock.monotonic()

    def note_beat(self) -> None:
        """Take note that the heartbeat was renewed."""
        self._beat_at = self._clock.monotonic() + self.beat_interval

    def note_claimed(self) -> None:
        """Take note that there was a job: without a bell, look for the next one soon."""
        self._probe = _FIRST_PROBE

    def is_soon(self, outlook: Outlook) -> bool:
        """Whether something becomes due within ten seconds."""
        return outlook.next_due is not None and self._until_due(outlook) < _SOON

    def wait(
        self,
        outlook: Outlook,
        *,
        deadline: float | None,
        next_search: float | None = None,
        is_free: bool,
        hears_bell: bool,
    ) -> float:
        """Return for how many seconds the loop may wait; 0 or less for not at all.

        Args:
            outlook: what the queue will have.
            deadline: the monotonic time at which the next of the running jobs overruns, or None.
            next_search: the monotonic time at which the next missing function is looked for again, or None.
            is_free: whether a job could begin.
            hears_bell: whether the bell ends the wait; without one the queue is looked at more and more rarely.
        """
        now = self._clock.monotonic()
        waits = [self._beat_at - now, self._longest_wait]
        if deadline is not None:
            waits.append(deadline - now)
        if is_free and outlook.next_due is not None:
            waits.append(self._until_due(outlook))
        if is_free and next_search is not None:
            waits.append(next_search - now)
        if is_free and not hears_bell:
            waits.append(self._probe)
            self._probe = min(_LAST_PROBE, self._probe * 1.5)
        return min(waits)

    def _until_due(self, outlook: Outlook) -> float:
        due = outlook.next_due
        return 0.0 if due is None else (due - self._clock.now()).total_seconds()
