"""The line on a terminal that shows how far an executor is."""

from __future__ import annotations

import threading

from gigq.clock import Clock
from gigq.executor.run import Run
from gigq.progress_line import ProgressLine

_SECONDS_BETWEEN_LOOKS = 0.1


class Progress:
    """A thread that draws the line, since the terminal may hold it up.

    It is no daemon, so that the interpreter waits for the last state; it ends with the run.

    Args:
        name: of the executor.
        run: whose calls are counted.
        clock: where time comes from.
    """

    def __init__(self, name: str, run: Run, clock: Clock) -> None:
        self._run = run
        self._line = ProgressLine(name, clock=clock)
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="gigq-progress")
        self._thread.start()

    def end(self) -> None:
        """Draw the last state, and leave it there."""
        self._has_ended.set()
        self._thread.join()

    def _show(self) -> None:
        with self._line:
            while self._run.is_alive and not self._has_ended.wait(_SECONDS_BETWEEN_LOOKS):
                self._draw()
            self._draw()

    def _draw(self) -> None:
        board = self._run.board
        if asked := board.asked:
            counts = board.counts
            self._line.show(min(counts["ended"], asked), asked, stored=counts["stored"], failed=counts["failed"])
