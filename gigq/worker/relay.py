"""A thread that receives what a worker's loop has to say, so that the loop never waits for whoever listens."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from gigq.clock import Clock
from gigq.worker.throttle import Throttle

MOST_WAITING = 10_000
"""Items that wait for a slow receiver. Beyond that the oldest are dropped: the newest say how things are now."""

_AT_ONCE = 64
"""Items that the thread takes at a time. To take the lock for each of them would keep the loop from it."""

_SECONDS_BETWEEN_NOTICES = 60.0

T = TypeVar("T")


class Relay(Generic[T]):
    """Gives items to a function, one at a time, in a thread of its own. Items may be sent from any thread.

    Args:
        receive: the function. What it raises is lost: it is to see to that itself.
        note_dropped: is called, by the same thread, with the number of items that were dropped: before the next item
            that is left, but at most once a minute while the function remains too slow.
        name: the name of the thread.
        clock: where time comes from.

    Attributes:
        received: how many items the function has returned from.
    """

    def __init__(
        self, receive: Callable[[T], object], *, note_dropped: Callable[[int], object], name: str, clock: Clock
    ) -> None:
        self.received = 0
        self._receive = receive
        self._note_dropped = note_dropped
        self._name = name
        self._lock = threading.Condition()
        self._items: deque[T] = deque(maxlen=MOST_WAITING)
        self._dropped = 0
        self._in_hand = 0
        self._is_busy = self._is_closed = False
        self._notices = Throttle(_SECONDS_BETWEEN_NOTICES, clock)
        self._thread: threading.Thread | None = None

    def send(self, items: Sequence[T]) -> None:
        """Queue items for the function. Never waits for it."""
        with self._lock:
            self._dropped += max(0, len(self._items) + len(items) - MOST_WAITING)
            self._items.extend(items)
            if self._thread is None:
                thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                with suppress(RuntimeError):  # no more threads can be started now: the next items try again
                    thread.start()
                    self._thread = thread
            self._lock.notify_all()

    def finish(self, timeout: float) -> int:
        """Wait until the function has returned from all that was sent, at most `timeout` seconds.

        Returns:
            how many items are left.
        """
        if threading.current_thread() is self._thread:
            return 0  # the function itself has closed the worker
        with self._lock:
            self._lock.wait_for(self._is_done, timeout)
            return len(self._items) + self._in_hand

    def drop(self) -> None:
        """Drop what is left."""
        with self._lock:
            self._dropped += len(self._items)
            self._items.clear()
            self._lock.notify_all()

    def close(self) -> None:
        """End the thread when it has nothing left to do."""
        with self._lock:
            self._is_closed = True
            self._lock.notify_all()

    def _is_done(self) -> bool:
        return not (self._items or self._is_busy or self._dropped)

    def _serve(self) -> None:
        while self._wait():
            dropped, items = self._next()
            if dropped:
                with suppress(Exception):
                    self._note_dropped(dropped)
            for item in items:
                with suppress(Exception, SystemExit):
                    self._receive(item)
                self.received += 1
                self._in_hand -= 1

    def _wait(self) -> bool:
        """Wait for the next items; False if there will be none."""
        with self._lock:
            self._is_busy = False
            self._lock.notify_all()
            self._lock.wait_for(lambda: self._items or self._dropped or self._is_closed)
            self._is_busy = bool(self._items or self._dropped)
            if not self._is_busy:
                self._thread = None  # what is sent after all starts another one
            return self._is_busy

    def _next(self) -> tuple[int, list[T]]:
        """Take the next items, and the number of those before them that are to be reported as dropped."""
        with self._lock:
            items = [self._items.popleft() for _ in range(min(_AT_ONCE, len(self._items)))]
            self._in_hand, dropped = len(items), 0
            if self._dropped and (self._notices.allows() or not self._items):
                dropped, self._dropped = self._dropped, 0
            return dropped, items
