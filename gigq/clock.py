"""Time: clocks, instants as the file holds them, and durations as callers give them."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

Instant = datetime | str
"""An aware datetime, a naive one (local time), or ISO-8601 text of either."""

Duration = float | timedelta | str
"""Seconds, a timedelta, or text: ``30s``, ``5m``, ``2h``, ``7d``."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([smhd]?)"  # compiled when it is first used

_LONGEST_PAUSE = 0.05
"""Seconds between two attempts to get what another process holds, after a long wait."""


class Clock(Protocol):
    """A source of time. Its methods are safe to call from any thread."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware and in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean something."""

    def sleep(self, seconds: float) -> None:
        """Return after this many seconds."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(to_seconds(seconds, "seconds"))


class ManualClock:
    """A clock for tests: time stands still until `advance` or `set` moves it; `sleep` advances it.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue, ManualClock, task
        >>> from gigq.testing import drain
        >>> clock = ManualClock()
        >>> with JobQueue(":memory:", clock=clock) as queue:
        ...     job_id = queue.enqueue(task(isleap, delay=60), 2028)
        ...     before = drain(queue)
        ...     clock.advance(60)
        ...     before, drain(queue)
        (0, 1)
    """

    def __init__(self, now: Instant = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._lock = threading.Lock()
        self._now = to_instant(now, "now")
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: Duration) -> None:
        """Let this many seconds pass, or another duration, on both clocks.

        Raises:
            ValueError: not a duration. Only the wall clock can go back, by `set`.
        """
        passed = to_seconds(seconds, "seconds", or_else="; only set() turns the wall clock back")
        with self._lock:
            self._now = later(self._now, passed)
            self._monotonic += passed

    def set(self, now: Instant) -> None:
        """Set the wall clock, forward or back. The monotonic time stays.

        Raises:
            ValueError: not an instant.
        """
        instant = to_instant(now, "now")
        with self._lock:
            self._now = instant


def to_clock(clock: Clock | None) -> Clock:
    """Return the clock that a caller gave, or the machine's.

    Raises:
        TypeError: it is no clock.
    """
    if clock is None:
        return SystemClock()
    methods = (getattr(clock, name, None) for name in ("now", "monotonic", "sleep"))
    if isinstance(clock, type) or not all(map(callable, methods)):
        raise TypeError(f"clock is {clock!r:.80}; it must be an object with now(), monotonic() and sleep()")
    return clock


def to_text(instant: datetime) -> str:
    """Write an aware datetime as the file holds it: ``YYYY-MM-DDTHH:MM:SS.ffffffZ``, UTC, sortable as text."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat("T", "microseconds")[:26] + "Z"  # by position: by name it takes twice the time


def stamper(clock: Clock) -> Callable[[], str]:
    """Return a function that returns a clock's time as the file holds it, for where every job needs it."""
    return _SystemStamps().now if type(clock) is SystemClock else lambda: to_text(clock.now())


class _SystemStamps:
    """The machine's time as text, in 0.5 us instead of 2: only the microseconds are written each time."""

    def __init__(self) -> None:
        self._second = (0, "1970-01-01T00:00:00.")  # replaced as a whole, so that threads may share it

    def now(self) -> str:
        now = time.time_ns() // 1000
        second, text = self._second
        if not 0 <= now - second < 1_000_000:
            second = now - now % 1_000_000
            text = to_text(datetime.fromtimestamp(second // 1_000_000, UTC))[:20]
            self._second = (second, text)
        return "%s%06dZ" % (text, now - second)  # noqa: UP031  # an f-string takes a quarter longer


def from_text(text: str) -> datetime:
    """Read an instant that the file holds.

    Raises:
        ValueError: gigq did not write it.
    """
    try:
        instant = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise ValueError(f"{text!r:.80} is not an instant in the form that the file holds") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def to_instant(value: Instant, name: str = "the instant", *, or_else: str = "") -> datetime:
    """Return what a caller gave as an aware datetime in UTC.

    Args:
        value: the instant.
        name: what messages call it.
        or_else: what messages add to the values that it may have, such as ``, or None``.

    Raises:
        ValueError: it is not a datetime, not ISO-8601, or outside the years that can be stored.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            example = "2026-01-31T09:00:00+01:00"
            raise ValueError(f"{name} is {value!r:.80}; it must be ISO-8601 text such as {example}{or_else}") from None
    if not isinstance(value, datetime):
        raise ValueError(f"{name} is {value!r:.80}; it must be a datetime or ISO-8601 text{or_else}")
    try:
        return value.astimezone(UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"{name} is '{value.isoformat()}'; it must be in the years 1 to 9999 in UTC") from None


def to_seconds(value: Duration, name: str = "the duration", *, or_else: str = "") -> float:
    """Return a duration as finite seconds, at least 0; `name` and `or_else` as for `to_instant`.

    Raises:
        ValueError: it is not a number, a timedelta or text with a unit, is negative, or is not finite.
    """
    seconds: object = value
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str):
        seconds = _seconds_of(value, name)
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        with suppress(OverflowError):  # an integer beyond all floats
            if 0 <= (seconds := float(seconds)) < math.inf:
                return seconds
    wanted = "seconds from 0 up, a timedelta, or text such as 30s, 5m, 2h or 7d"
    raise ValueError(f"{name} is {value!r:.80}; it must be {wanted}{or_else}")


def to_past(value: Duration | Instant, name: str, *, now: datetime) -> datetime:
    """Return an instant that a caller gave as such, or as the time that has passed since; `name` is for messages.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, datetime) or (isinstance(value, str) and not re.fullmatch(_DURATION, value)):
        return to_instant(value, name, or_else=", or a duration such as 7d")
    return earlier(now, to_seconds(value, name, or_else=", or an instant"))


def _seconds_of(text: str, name: str) -> float | None:
    """Return the seconds of text such as ``5m``; None if it is not a duration."""
    found = re.fullmatch(_DURATION, text)
    if found is None:
        return None
    number, unit = found.groups()
    if not unit:
        raise ValueError(f"{name} is {text!r:.80}, without a unit; write {number:.80}s, or m, h or d instead of s")
    return float(number) * _UNITS[unit]


def in_seconds(seconds: float) -> str:
    """Return a duration for people: ``0.5 seconds``, ``1 second``, ``1209600 seconds``."""
    return f"{seconds:.15g} second{'' if seconds == 1 else 's'}"


def later(instant: datetime, seconds: float) -> datetime:
    """Return the instant `seconds` after another, or the last one that can be written if that comes first."""
    try:
        return instant + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def earlier(instant: datetime, seconds: float) -> datetime:
    """Return the instant `seconds` before another, or the first one that can be written if that comes later."""
    try:
        return instant - timedelta(seconds=seconds)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def over_after(seconds: float) -> Callable[[], bool]:
    """Return what says whether so many seconds have passed since now.

    For SQLite, which asks while it runs a statement: no step of it is Python's, so that no signal is handled inside,
    where sqlite3 would drop what the handler raises.
    """
    until = time.monotonic() + seconds
    return map(until.__le__, iter(time.monotonic, None)).__next__


def unix_microseconds() -> int:
    """Return the wall-clock time as microseconds since 1970."""
    return time.time_ns() // 1000


def attempts(timeout: float, *, longest_pause: float) -> Iterator[None]:
    """Yield at once, then again after random pauses of 0.1 ms and more, until `timeout` seconds have passed.

    A caller that has waited for long tries less often: a hundred processes that try every half millisecond leave the
    one that they wait for no time to finish.
    """
    start = time.monotonic()
    yield
    while (waited := time.monotonic() - start) < timeout:
        from random import uniform  # only here: it takes as long to import as all clocks

        time.sleep(uniform(0.0001, max(longest_pause, min(_LONGEST_PAUSE, waited / 25))))
        yield
