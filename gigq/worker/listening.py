"""What a worker hears of the queue's bell, while it waits for its slots."""

from __future__ import annotations

from gigq.runtime.runner import Runner
from gigq.store.engine.bell import Bell

_HEAD_START = 0.001
"""Seconds for which idle workers leave a new job to the first of them; if all claimed at once, it would start later."""


class Listening:
    """Whether the bell has rung since the last turn. Belongs to the loop's thread.

    Args:
        is_wanted: False for a worker that is asked for single turns, and never waits.

    Attributes:
        file: what to wait on; None where the bell cannot be heard.
        has_rung: whether it has rung since the last turn. The loop takes it back when it has looked.
    """

    def __init__(self, bell: Bell, *, is_wanted: bool) -> None:
        self.file: int | None = None
        self.has_rung = False
        self._bell = bell
        self._is_wanted = is_wanted

    @property
    def is_called_first(self) -> bool:
        """Whether the bell has rung, and this worker is the first of those that heard it."""
        return self.has_rung and self._bell.is_first

    def listen(self) -> None:
        """Begin to listen, or go on: what the bell needs may have been removed since."""
        if self._is_wanted:
            self.file = self._bell.listen()

    def wait(self, runner: Runner, seconds: float, *, is_busy: bool) -> None:
        """Wait for the bell or the slots, but no longer than this many seconds."""
        self.has_rung = runner.wait(seconds, bell=self.file)
        self.has_rung |= self._bell.clear()
        if self.has_rung and not (self._bell.is_first or is_busy):
            runner.wait(_HEAD_START)

    def close(self) -> None:
        """Stop listening."""
        self._bell.close()
