"""The line on a terminal that shows how far an executor is."""

from __future__ import annotations

import threading

from gigq.clock import Clock
from gigq.executor.board import Board
from gigq.progress_line import ProgressLine

_SECONDS_BETWEEN_LOOKS = 0.1


class Progress:
    """A thread that draws the line, since the terminal may hold it up.

    Args:
        name: of the executor.
        board: what is counted.
        clock: where time comes from.
    """

    def __init__(self, name: str, board: Board, clock: Clock) -> None:
        self._board = board
        self._line = ProgressLine(name, clock=clock)
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="gigq-progress", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Draw the last state, and leave it there."""
        self._has_ended.set()
        self._thread.join()

    def _show(self) -> None:
        with self._line:
            while not self._has_ended.wait(_SECONDS_BETWEEN_LOOKS):
                self._draw()
            self._draw()

    def _draw(self) -> None:
        if asked := self._board.asked:
            counts = self._board.counts
            self._line.show(min(counts["ended"], asked), asked, stored=counts["stored"], failed=counts["failed"])
