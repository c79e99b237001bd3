"""The clock of what is lent: takes it back when its time is over, from whoever has it."""

from __future__ import annotations

import math
import threading
from queue import Empty, SimpleQueue
from typing import Protocol

from gigq.clock import SystemClock

_IDLE = 1.0
"""Seconds without anything to watch after which its thread ends."""

_now = SystemClock().monotonic


class Lent(Protocol):
    """What is lent."""

    def take_back(self) -> None:
        """Take it back. Called in a thread of its own, for that may have to wait."""


class Watch:
    """Watches what is lent in this process. Safe to use from any thread, and after a fork."""

    def __init__(self) -> None:
        self._until: dict[Lent, float] = {}
        self._wakes_at = -math.inf
        self._call: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, lent: Lent, seconds: float) -> None:
        """Take something back in so many seconds, unless it is dropped before."""
        self._until[lent] = until = _now() + seconds
        if until < self._wakes_at:
            self._call.put(None)
        thread = self._thread
        if thread is None or not thread.is_alive():  # after a fork it is not
            self._thread = threading.Thread(target=self._run, name="gigq-lender", daemon=True)
            self._thread.start()

    def drop(self, lent: Lent) -> None:
        """Leave something to whoever has it."""
        self._until.pop(lent, None)

    def hurry(self, lent: Lent) -> None:
        """Take something back now, without waiting for that, unless it was dropped."""
        if self._until.pop(lent, None) is not None:
            threading.Thread(target=lent.take_back, name="gigq-lender", daemon=True).start()

    def _run(self) -> None:
        while True:
            now = _now()
            for lent, until in list(self._until.items()):
                if until <= now:
                    self.hurry(lent)
            self._wakes_at = self._next(or_else=now + _IDLE)
            if self._next(or_else=math.inf) < self._wakes_at:  # asked again: what comes from here on calls
                continue
            try:
                self._call.get(timeout=max(0.0, self._wakes_at - _now()))
            except Empty:
                if not self._until:
                    self._thread = None  # whoever comes now starts another one
                    if not self._until:
                        return

    def _next(self, *, or_else: float) -> float:
        return min(list(self._until.values()), default=or_else)
