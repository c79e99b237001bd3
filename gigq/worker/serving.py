"""The turns of a worker's loop: until it is told to stop, and then until it may leave."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from gigq.clock import Clock
from gigq.errors import StoreError
from gigq.worker.loop import Loop
from gigq.worker.options import WorkerOptions

STOPPED_BY: tuple[int, ...] = (signal.SIGTERM, signal.SIGINT)
"""The signals that stop a worker even where they were ignored, as SIGINT is in scripts that start it with ``&``."""

_FORKED = "this process was forked while the worker was running; make another one with Worker(…)"


class Orders:
    """What a worker is told by its process. What it is told through the file, its loop knows.

    Attributes:
        stops: it is to claim no more jobs, and to leave when the running ones have ended.
        stops_now: it is not to wait for them any longer.
        signal: the number of the first signal that told it to stop; None if none has, since it was started.
    """

    def __init__(self) -> None:
        self.stops = self.stops_now = False
        self.signal: int | None = None
        self._loop: Loop | None = None
        self._process: int | None = None

    def stop(self, *, now: bool = False) -> None:
        """Have it stop. Safe to call from any thread and from a signal handler."""
        if self.is_forked:
            return
        self.stops, self.stops_now = True, self.stops_now or now
        self.wake()

    def wake(self) -> None:
        """Have its loop look at what there is to do. Safe to call from any thread."""
        loop = self._loop
        if loop is not None:
            loop.wake()

    def stop_by_signal(self, number: int, frame: FrameType | None) -> None:
        """Have it stop, at a second signal now."""
        self.signal = self.signal or number
        self.stop(now=self.stops)

    @property
    def is_forked(self) -> bool:
        """Whether this process was forked while the worker was running, so that its threads are not here."""
        return self._process not in (None, os.getpid())

    def must_be_usable(self) -> None:
        """Refuse to go on in a fork, where the locks of threads that are not here will never be released.

        Raises:
            RuntimeError: this is one.
        """
        if self.is_forked:
            raise RuntimeError(_FORKED)

    def must_be_idle(self, worker_id: str) -> None:
        """Refuse a second start, which would wait until the first has ended.

        Raises:
            RuntimeError: the worker is running, and was not told to stop.
        """
        if self._loop is not None and not self.stops:
            raise RuntimeError(f"worker {worker_id} is running already; for more slots make another Worker(…)")

    @contextmanager
    def to(self, loop: Loop) -> Iterator[None]:
        """Have them obeyed by a loop while the block runs; at its end close that, and forget them."""
        self._loop, self._process, self.signal = loop, os.getpid(), None
        try:
            yield
        finally:
            self._loop = self._process = None
            loop.close()
            self.stops = self.stops_now = False


def serve(
    loop: Loop, orders: Orders, options: WorkerOptions, clock: Clock, *, begin: Callable[[], object] | None
) -> None:
    """Take turns until the worker is to stop, then until no job runs any more, but not for long; and leave.

    Args:
        begin: called after the first turn, which writes the worker into the file, where others can find it.
    """

    def is_to_stop() -> bool:
        return orders.stops or loop.stop is not None or (options.burst and loop.is_done)

    def may_leave() -> bool:
        return not loop.is_busy or orders.stops_now or loop.stop == "now" or clock.monotonic() >= deadline

    deadline = math.inf
    if begin:
        _turn(loop, claim=True, is_last=lambda: True)
        begin()
    while not is_to_stop():
        _turn(loop, claim=True, is_last=is_to_stop)
    deadline = clock.monotonic() + options.shutdown_timeout
    while not may_leave():
        _turn(loop, claim=False, is_last=may_leave, seconds=lambda: deadline - clock.monotonic())
    loop.leave()


def _turn(
    loop: Loop, *, claim: bool, is_last: Callable[[], bool], seconds: Callable[[], float] = lambda: math.inf
) -> None:
    """Do what there is to do, then wait until there is more, at most so long."""
    try:
        loop.turn(claim=claim)
    except StoreError as error:
        loop.pause_after_error(error)
        return
    if not is_last():
        loop.wait(at_most=seconds())
