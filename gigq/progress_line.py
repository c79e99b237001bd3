"""One line on a terminal that says how far much work is: ``crawl 412/1000 41 % 12.3/s 0:48 left, 2 failed``."""

from __future__ import annotations

import os
import sys
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO
from unicodedata import east_asian_width

from gigq.cleaning import clean
from gigq.clock import Clock
from gigq.durations import countdown

_PAUSE = 0.1
"""Seconds between two drawings: more often than that nobody can read it."""

_WINDOW = 30.0
"""Seconds over which the speed is measured: the time left should follow it, and not jump with each item."""

_FEWEST_COLUMNS = 20


class ProgressLine:
    """Draws the line over itself, and leaves the last one when it is closed. Nothing where its stream is no terminal.

    Belongs to one thread. A terminal that was stopped, by Ctrl-S, holds up who writes to it, so no worker's loop may.

    Args:
        label: what it is that makes progress.
        clock: where time comes from.
        stream: where it is drawn; by default standard error.
    """

    def __init__(self, label: str = "", *, clock: Clock, stream: TextIO | None = None) -> None:
        self._label = clean(label)
        self._clock = clock
        self._stream = stream if stream is not None else sys.stderr
        self._columns = _columns_of(self._stream)
        self._began_at = self._drawn_at = clock.monotonic()
        self._samples: deque[tuple[float, int]] = deque()
        self._rest = self._text = ""

    def show(self, done: int, total: int, *, stored: int = 0, failed: int = 0) -> None:
        """Say how far it is, at most ten times a second. To be called also while nothing happens.

        Args:
            done: how many items have ended, whatever their end.
            total: how many there are.
            stored: how many of those that are done were so before this began, and say nothing about the speed.
            failed: how many of those that are done have failed.
        """
        if self._columns is None:
            return
        now, own = self._clock.monotonic(), done - stored
        if not self._samples or now - self._samples[-1][0] >= _PAUSE:
            self._samples.append((now, own))
            while self._samples[0][0] < now - _WINDOW and len(self._samples) > 2:
                self._samples.popleft()
        self._rest = _told(
            done, total, _speed(*self._samples[0], now, own), seconds=now - self._began_at, stored=stored, failed=failed
        )
        if not self._text or now - self._drawn_at >= _PAUSE:
            self._draw()

    def say(self, text: str) -> None:
        """Say how it is in words, where that is no number; with the time that it has taken."""
        if self._columns is None:
            return
        now = self._clock.monotonic()
        self._rest = f"{clean(text)} {countdown(now - self._began_at)}"
        if not self._text or now - self._drawn_at >= _PAUSE:
            self._draw()

    def close(self) -> None:
        """Draw the last state, and leave it there."""
        if self._rest:
            self._draw()
            self._write("\n")
            self._rest = self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _draw(self) -> None:
        self._drawn_at = self._clock.monotonic()
        text = fitted(self._label, self._rest, columns=self._columns or _FEWEST_COLUMNS)
        if text != self._text:
            # In one piece, and over what was there, so that nothing flickers: the line is never empty.
            self._write(f"\r{text}{' ' * (_width(self._text) - _width(text))}")
            self._text = text

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "ascii"
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone, or the stream was closed
            self._columns = None


def fitted(label: str, rest: str, *, columns: int) -> str:
    """Return both as one line of at most so many columns; what does not fit is taken from the label first."""
    room = columns - len(rest) - 1
    if _width(label) > room:
        label = f"{_cut(label, room - 3)}..." if room > 6 else ""
    return (f"{label} {rest}" if label else rest)[:columns]


def _told(done: int, total: int, speed: float, *, seconds: float, stored: int, failed: int) -> str:
    parts = [f"{done}/{total}", f"{100 * done // total if total else 100} %"]
    if done >= total:
        parts.append(f"in {countdown(seconds)}")
    elif speed:
        parts += [_per_time(speed), f"{countdown((total - done) / speed)} left"]
    counts = [f"{number} {what}" for number, what in ((stored, "stored"), (failed, "failed")) if number]
    return ", ".join([" ".join(parts), *counts])


def _speed(since: float, before: int, now: float, done: int) -> float:
    """Return how many items a second were done; 0 if that cannot be told yet."""
    return max(0, done - before) / (now - since) if now > since else 0.0


def _per_time(speed: float) -> str:
    """Return a speed with three digits or so, a second or a minute."""
    if speed >= 100:
        return f"{speed:.0f}/s"
    return f"{speed:.1f}/s" if speed >= 1 else f"{60 * speed:.2g}/min"


def _cut(text: str, columns: int) -> str:
    while _width(text) > columns:
        text = text[:-1]
    return text


def _width(text: str) -> int:
    """Return how many columns a terminal gives to a text."""
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def _columns_of(stream: TextIO | None) -> int | None:
    """Return how many columns of a stream may be written to; None if it is no terminal."""
    with suppress(AttributeError, OSError, ValueError):  # no stream, as under pythonw; one in memory, or closed
        if stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb":
            # In the last column some terminals begin a new line.
            return max(_FEWEST_COLUMNS, (os.get_terminal_size(stream.fileno()).columns or 80) - 1)
    return None
