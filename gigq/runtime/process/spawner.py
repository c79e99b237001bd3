"""Start child processes, less often while that fails."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from gigq.clock import Clock
from gigq.runtime.process.handle import Child
from gigq.runtime.process.wire import Settings

START_LIMIT = 60.0
"""Seconds that a child may take until it is ready for its first job."""

_TRIES = 3
"""Failures to start in a row after which jobs are given back."""

_FIRST_PAUSE, _LAST_PAUSE = 0.1, 30.0


class Spawner:
    """Starts children in this process's current folder, and waits longer after each failure in a row."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._folder = os.getcwd()
        self._settings = settings
        self._failures = 0
        self._pause_ends_at = -math.inf

    @property
    def is_failing(self) -> bool:
        """Whether the last child that was started did not become ready."""
        return self._failures > 0

    @property
    def has_given_up(self) -> bool:
        """Whether so many did not become ready, one after the other, that no job should wait for the next one."""
        return self._failures >= _TRIES

    def spawn(self) -> Child:
        """Start a child.

        Raises:
            OSError: the system refused.
        """
        return Child(folder=self._folder, settings=self._settings, now=self._clock.monotonic())

    def note_ready(self) -> None:
        """Take note that a child is ready."""
        self._failures = 0
        self._pause_ends_at = -math.inf

    def note_failure(self) -> None:
        """Take note that a child did not become ready."""
        self._failures += 1
        pause = min(_LAST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures - 1, 30))
        self._pause_ends_at = self._clock.monotonic() + pause

    def next_spawn(self, children: Sequence[Child]) -> float:
        """The monotonic time from which a child may be added to these; infinite while it must not be."""
        # After a failure, one at a time is enough to see whether the cause is gone.
        if self.is_failing and not all(child.is_ready for child in children):
            return math.inf
        return self._pause_ends_at

    def ready_by(self, child: Child) -> float:
        """The monotonic time by which a child must be ready; infinite if it is."""
        return math.inf if child.is_ready else child.begun_at + START_LIMIT
