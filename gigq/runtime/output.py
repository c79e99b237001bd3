"""The output of a function while it runs: its progress, its place in a long loop, and its log."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Protocol

from gigq.checks import Default
from gigq.clock import SystemClock
from gigq.codec import canonical, encode
from gigq.reports import Progress, Report

LOG_LIMIT = 64_000
"""The most characters of a log that are kept: half of them from its beginning, half from its end."""

CURSOR_LIMIT = 100_000
"""The most bytes of a cursor as JSON."""

MESSAGE_LIMIT = 500
"""The most characters in the message of a progress."""

NOTHING_LOGGED = ("", "", 0)
"""What is kept of a log to which nothing was written."""

LEFT_OUT = "… {:,} characters are left out …"
"""The line that stands in a log for the characters that are not kept."""

_BETWEEN = re.compile(rf"\n{LEFT_OUT.format(0).replace('0', '([0-9,]+)')}\n")

_CLOCK = SystemClock()
_HALF = LOG_LIMIT // 2
_LARGEST = 1e300
_LARGEST_INTEGER = 2**63
_SHORT = 1000
_PLAIN = (int, float)


class Durable(Protocol):
    """What the function does in the file of its queue."""

    def finished(self, report: Report) -> Report:
        """Return the report of a function that has returned, settled if its last act does that."""

    def stop(self) -> None:
        """Take note that the function is being stopped. Never waits."""

    def close(self) -> None:
        """Take note that the function has ended."""


class Output:
    """What one execution leaves behind. Its function writes it, from any thread; its runner may read it at any time.

    Attributes:
        execution_id: the execution.
        progress: the latest that the function has reported.
        log: None where logs are not kept.
        cursor: its place in a long loop, as JSON; None if it has set none.
        run: what connects the execution to its queue's file; None until its function asks for that.
        thread: that of its function.
        began_at: when that was called, as a monotonic time.
        has_ended: whether the function has, and a thread that it has left behind may ask for nothing more.
    """

    __slots__ = ("began_at", "cursor", "execution_id", "has_ended", "log", "progress", "run", "thread")

    def __init__(
        self,
        execution_id: int,
        log: Log | None = None,
        progress: Progress | None = None,
        cursor: str | None = None,
    ) -> None:
        self.execution_id = execution_id
        self.log = log
        self.progress = progress
        self.cursor = cursor
        self.run: Durable | None = None
        self.began_at = _CLOCK.monotonic()
        self.has_ended = False
        self.thread = threading.get_ident()

    @property
    def has_any(self) -> bool:
        """Whether it has left anything behind, or may have logged something."""
        return self.progress is not None or self.cursor is not None or self.log is not None

    def add_to(self, report: Report) -> Report:
        """Return the report together with what has been left behind so far."""
        if not self.has_any:
            return report
        log = None if self.log is None else self.log.text()
        return report._replace(progress=self.progress, log=log, cursor=self.cursor)

    def snapshot(self) -> tuple[object, ...]:
        """Return a value that stays equal until something is added."""
        return (self.execution_id, self.progress, self.cursor, None if self.log is None else self.log.kept)


def progress_in(outputs: Iterable[Output]) -> dict[int, Progress]:
    """Return the progress of the executions that have reported any."""
    return {output.execution_id: progress for output in outputs if (progress := output.progress) is not None}


def cursors_in(outputs: Iterable[Output]) -> dict[int, str]:
    """Return the cursors of the executions that have set one, as JSON."""
    return {output.execution_id: cursor for output in outputs if (cursor := output.cursor) is not None}


def logs_in(outputs: Iterable[Output]) -> dict[int, Log]:
    """Return the logs of the executions whose logs are kept."""
    return {output.execution_id: log for output in outputs if (log := output.log) is not None}


def with_output(report: Report, output: Output | None, execution_id: int) -> Report:
    """Return the report of an execution together with its output; the output of another execution is ignored."""
    return report if output is None or output.execution_id != execution_id else output.add_to(report)


class Log:
    """Text of any length, of which the beginning and the end are kept.

    Safe to write from several threads. A reader never waits: an interrupted writer might never release the lock.

    Attributes:
        kept: the beginning, the end, and the number of characters dropped between them. Replaced as a whole.
    """

    __slots__ = ("_lock", "kept")

    def __init__(self, text: str = "") -> None:
        self.kept = (text, "", 0)
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Add text."""
        with self._lock:
            head, tail, dropped = self.kept
            if room := max(0, _HALF - len(head)):
                head, text = head + text[:room], text[room:]
            tail += text
            excess = max(0, len(tail) - _HALF)
            self.kept = (head, tail[excess:], dropped + excess)

    def text(self) -> str | None:
        """Return what is kept, as text that the file can hold; None if nothing was written."""
        head, tail, dropped = self.kept
        between = f"\n{LEFT_OUT.format(dropped)}\n" if dropped else ""
        return (head + between + tail).encode(errors="backslashreplace").decode() or None


def parts_of(text: str) -> tuple[str, str, int]:
    """Return what a log consists of as the file has it: its beginning, its end, and how much is left out in between."""
    found = _BETWEEN.search(text, _HALF) if len(text) > LOG_LIMIT else None
    return (text[: found.start()], text[found.end() :], int(found[1].replace(",", ""))) if found else (text, "", 0)


def progress_of(current: float, total: float | None = None, message: str | None = None) -> Progress:
    """Return the progress that a function reports.

    Raises:
        TypeError: `current` or `total` is not a number, or `message` is not text.
        ValueError: `current` or `total` is negative or not finite, or `message` is too long.
    """
    if type(current) not in _PLAIN:
        current = _plain("current", current)
    if not 0 <= current <= _LARGEST:  # false for a NaN, too
        raise ValueError(f"current is {_shown(current)}; it must be a number of at least 0")
    if total is not None:
        if type(total) not in _PLAIN:
            total = _plain("total", total)
        if not 0 <= total <= _LARGEST:
            raise ValueError(f"total is {_shown(total)}; it must be a number of at least 0, or None")
    if message is not None:
        _check_message(message)
    return Progress(current, total, message)


def cursor_of(place: object, default: Default | None = None) -> str:
    """Return a place in a long loop as JSON: as it is now, so that a later change of it is not seen.

    Raises:
        NotSerializable: JSON lacks something in it, or it has more than `CURSOR_LIMIT` bytes.
    """
    if type(place) is int and -_LARGEST_INTEGER < place < _LARGEST_INTEGER:
        return str(place)  # the usual cases, in a tenth of the time
    if type(place) is str and len(place) <= _SHORT and place.isascii():
        return canonical(place) or ""
    return encode(place, name="cursor", limit=CURSOR_LIMIT, default=default)


def _plain(name: str, value: object) -> int | float:
    """Return a number of any other type, such as NumPy's, as Python's own."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r:.100}; it must be a number")
    return int(value) if isinstance(value, Integral) else float(value)


def _shown(number: float) -> str:
    return f"larger than {_LARGEST:g}" if number > _LARGEST and number != math.inf else f"{number:g}"


def _check_message(message: object) -> None:
    if not isinstance(message, str):
        raise TypeError(f"message is {message!r:.100}; it must be text, or None")
    if len(message) > MESSAGE_LIMIT:
        raise ValueError(f"message has {len(message):,} characters; at most {MESSAGE_LIMIT} are kept")
