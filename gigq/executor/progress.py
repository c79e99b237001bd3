"""The line on a terminal that shows how far an executor is."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from datetime import timedelta

from gigq.cleaning import clean
from gigq.clock import Clock
from gigq.executor.board import Board

_SECONDS_BETWEEN_LINES = 0.2


class ProgressLine:
    """Writes a line to standard error, and again over itself. Only on a terminal.

    Args:
        name: of the executor.
        board: what is counted.
        clock: where time comes from.
    """

    def __init__(self, name: str, board: Board, clock: Clock) -> None:
        self._name = name
        self._board = board
        self._clock = clock
        self._began = clock.monotonic()
        self._width = 0
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="gigq-progress", daemon=True)
        self._thread.start()

    @staticmethod
    def is_wanted() -> bool:
        """Whether standard error is a terminal."""
        return sys.stderr is not None and sys.stderr.isatty()

    def end(self) -> None:
        """Write the last line."""
        self._has_ended.set()
        self._thread.join()

    def _show(self) -> None:
        with suppress(OSError, ValueError):  # the terminal is gone
            while not self._has_ended.wait(_SECONDS_BETWEEN_LINES):
                self._write()
            self._write(end="\n")

    def _write(self, end: str = "") -> None:
        counts = self._board.counts
        text = line(
            clean(self._name), counts["ended"], self._board.asked, stored=counts["stored"], failed=counts["failed"],
            seconds=self._clock.monotonic() - self._began,
        )  # fmt: skip
        sys.stderr.write(f"\r{text.ljust(self._width)}{end}")
        sys.stderr.flush()
        self._width = len(text)


def line(name: str, ended: int, asked: int, *, stored: int, failed: int, seconds: float) -> str:
    """Return the line: ``crawl 412/1000 41 % 12.3/s 0:48 left, 380 stored, 2 failed``.

    Args:
        name: of the executor.
        ended: how many calls have ended, of those that were `asked` for.
        stored: how many of these had completed in an earlier run; they say nothing about the pace.
        failed: how many have failed.
        seconds: since when it runs.
    """
    made, left = ended - stored, asked - ended
    share = f" {100 * ended // asked} %" if asked else ""
    rate = made / seconds if seconds > 0 else 0.0
    pace = f" {rate:.1f}/s" if made else ""
    remaining = f" {timedelta(seconds=round(left / rate))} left".replace(" 0:", " ", 1) if made and left else ""
    notes = [f"{number} {what}" for number, what in ((stored, "stored"), (failed, "failed")) if number]
    return ", ".join([f"{name} {ended}/{asked}{share}{pace}{remaining}", *notes])
