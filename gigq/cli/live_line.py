"""A line on a terminal that is drawn over itself below all other lines, from a thread that nobody waits for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TextIO

from gigq.cli.columns import cut
from gigq.cli.terminal import Terminal
from gigq.clock import SystemClock
from gigq.runtime.process.stdio import BESIDE, ERASE

_PAUSE = 0.25
"""Seconds between two drawings: more often than that nobody can read it."""

_PAUSE_OF_FLOOD = 0.02
"""Seconds between two times that it is put back below what was printed: a flood of lines need not carry it along."""

_PAUSE_OF_PLAIN = 10.0
"""Seconds between two plain lines, where nothing may be drawn twice."""

_PATIENCE = 0.5
"""Seconds for which the end waits for a terminal that takes nothing, as after Ctrl-S."""


class LiveLine:
    """Draws a line below what others print on the same terminal; what it says changes at most four times a second.

    What this process prints on the terminal erases it first, and once that is a whole line, the live one is put back
    below it. Where the terminal is read out (``ACCESSIBLE``), a plain line is printed every ten seconds instead, if
    there is something new.

    A terminal that was stopped holds up the thread of the line, and whoever prints; a worker's loop does neither.

    Args:
        told: returns the text. Called by a thread of the line.
        stream: the terminal, which is standard error.
        terminal: what it can show.
    """

    def __init__(self, told: Callable[[], str], *, stream: TextIO, terminal: Terminal) -> None:
        self._told = told
        self._stream = stream
        self._terminal = terminal
        self._lock = threading.RLock()
        self._has_ended = threading.Event()
        self._text = ""
        self._is_shown = False
        self._is_between_lines = True
        self._drawn_at = 0.0
        self._before: tuple[Any, Any] = (sys.stdout, sys.stderr)
        self._thread = threading.Thread(target=self._draw_again_and_again, name="gigq-line", daemon=True)

    def __enter__(self) -> Self:
        if self._terminal.is_live:
            self._before = (sys.stdout, sys.stderr)
            sys.stdout, sys.stderr = self._beside(sys.stdout), self._beside(sys.stderr)
            os.environ[BESIDE] = "1"
        if self._terminal.is_terminal and not self._terminal.is_dumb:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._has_ended.set()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)  # it erases the line, and may have to wait for the terminal
        if self._terminal.is_live:
            os.environ.pop(BESIDE, None)
            # A job may have set others, which stay.
            sys.stdout = self._before[0] if isinstance(sys.stdout, _Beside) else sys.stdout
            sys.stderr = self._before[1] if isinstance(sys.stderr, _Beside) else sys.stderr

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Erase the line, and keep it away while the block prints."""
        with self._lock:
            self._erase()
            yield

    def note_printed(self, text: str) -> None:
        """Take note of what was printed, inside `hidden`: before its line is complete, nothing is drawn."""
        if text:
            self._is_between_lines = text.endswith("\n")
        if self._text and SystemClock().monotonic() - self._drawn_at >= _PAUSE_OF_FLOOD:
            self._draw(self._text)

    def _beside(self, stream: Any) -> Any:
        """Return a stream that prints beside the line, if it is on a terminal."""
        with suppress(AttributeError, ValueError, OSError):  # there is none, or it is closed
            if stream.isatty():
                return _Beside(stream, self)
        return stream

    def _draw_again_and_again(self) -> None:
        pause = _PAUSE if self._terminal.is_live else _PAUSE_OF_PLAIN
        try:
            while not self._has_ended.wait(pause):
                with self._lock:
                    self._draw(self._told())
        finally:
            with self._lock:
                self._erase()

    def _draw(self, text: str) -> None:
        if self._has_ended.is_set() or not self._is_between_lines:
            return
        if text == self._text and (self._is_shown or not self._terminal.is_live):
            return
        if self._terminal.is_live:
            ((fitting, _),) = cut([(text, "")], self._columns() - 1) or [("", "")]  # in the last one some begin a line
            self._write(f"{ERASE}{fitting}")
        else:
            self._write(f"{text}\n")
        self._text, self._is_shown, self._drawn_at = text, True, SystemClock().monotonic()

    def _erase(self) -> None:
        if self._is_shown and self._terminal.is_live:
            self._write(ERASE)
            self._is_shown = False

    def _write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "ascii"
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone, or a job has closed the stream
            self._has_ended.set()

    def _columns(self) -> int:
        with suppress(OSError, ValueError, AttributeError):
            return os.get_terminal_size(self._stream.fileno()).columns or self._terminal.width
        return self._terminal.width


class _Beside:
    """A stream on the terminal of a live line.

    In a fork of this process it does without the line's lock, which may be held for ever there.
    """

    def __init__(self, stream: TextIO, line: LiveLine) -> None:
        self._stream = stream
        self._line = line
        self._process = os.getpid()
        self._is_between_lines = True  # in a fork

    def write(self, text: str) -> int:
        if os.getpid() != self._process:
            erase, self._is_between_lines = ERASE if self._is_between_lines else "", text.endswith("\n")
            return self._stream.write(erase + text) - len(erase)
        with self._line.hidden():
            written = self._stream.write(text)
            if "\n" in text:
                self._stream.flush()  # before the line is drawn, which may be by another stream
            self._line.note_printed(text)
            return written

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
