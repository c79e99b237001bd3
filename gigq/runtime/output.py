"""What a function leaves behind while it runs: how far it is, and what it has logged."""

from __future__ import annotations

import math
import threading
from numbers import Integral, Real

from gigq.reports import Progress, Report

LOG_LIMIT = 64_000
"""The most characters of a log that are kept: the first half of them, and the last."""

MESSAGE_LIMIT = 500
"""The most characters of the message of a progress."""

_HALF = LOG_LIMIT // 2
_MOST = 1e300
_PLAIN = (int, float)


class Output:
    """What one execution leaves behind. Its function writes it, from any thread; its runner may read it at any time.

    Attributes:
        execution_id: the execution.
        progress: what the function last said of it.
        log: None where no logs are kept.
    """

    __slots__ = ("execution_id", "log", "progress")

    def __init__(self, execution_id: int, log: Log | None = None, progress: Progress | None = None) -> None:
        self.execution_id = execution_id
        self.log = log
        self.progress = progress

    def mark(self, report: Report) -> Report:
        """Return the report with all that was left behind by now."""
        if self.progress is None and self.log is None:
            return report
        return report._replace(progress=self.progress, log=None if self.log is None else self.log.text())

    def state(self) -> tuple[object, ...]:
        """Return what is equal as long as nothing has been added."""
        return (self.execution_id, self.progress, None if self.log is None else self.log.kept)


def with_output(report: Report, output: Output | None, execution_id: int) -> Report:
    """Return the report of an execution with what it has left behind; a output of another one is none of its."""
    return report if output is None or output.execution_id != execution_id else output.mark(report)


class Log:
    """Text that grows without end, of which the beginning and the end are kept.

    Safe to write from several threads. A reader never waits: an interrupted writer may never let go of the lock.

    Attributes:
        kept: the beginning, the end, and how many characters between them are gone. Replaced as a whole.
    """

    __slots__ = ("_lock", "kept")

    def __init__(self, text: str = "") -> None:
        self.kept = (text, "", 0)
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Add text."""
        with self._lock:
            head, tail, gone = self.kept
            if room := max(0, _HALF - len(head)):
                head, text = head + text[:room], text[room:]
            tail += text
            excess = max(0, len(tail) - _HALF)
            self.kept = (head, tail[excess:], gone + excess)

    def text(self) -> str | None:
        """Return what is kept, as the file can hold it; None for nothing."""
        head, tail, gone = self.kept
        between = f"\n… {gone:,} characters are left out …\n" if gone else ""
        return (head + between + tail).encode(errors="backslashreplace").decode() or None


def progress_of(current: float, total: float | None = None, message: str | None = None) -> Progress:
    """Return what a function says of its progress.

    Raises:
        TypeError: `current` or `total` is no number, or `message` no text.
        ValueError: `current` is negative, `total` not positive, one of them not finite, or `message` too long.
    """
    if type(current) not in _PLAIN:
        current = _plain("current", current)
    if not 0 <= current <= _MOST:  # which a NaN is not, either
        raise ValueError(f"current is {_shown(current)}; it must be a number from 0 on")
    if total is not None:
        if type(total) not in _PLAIN:
            total = _plain("total", total)
        if not 0 < total <= _MOST:
            raise ValueError(f"total is {_shown(total)}; it must be a number above 0, or None")
    if message is not None:
        _check_message(message)
    return Progress(current, total, message)


def _plain(name: str, value: object) -> int | float:
    """A number of any other kind, such as NumPy's."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {value!r:.100}; progress is told in numbers")
    return int(value) if isinstance(value, Integral) else float(value)


def _shown(number: float) -> str:
    return f"larger than {_MOST:g}" if number > _MOST and number != math.inf else f"{number:g}"


def _check_message(message: object) -> None:
    if not isinstance(message, str):
        raise TypeError(f"message is {message!r:.100}; it must be text, or None")
    if len(message) > MESSAGE_LIMIT:
        raise ValueError(f"message has {len(message):,} characters; at most {MESSAGE_LIMIT} are kept")
