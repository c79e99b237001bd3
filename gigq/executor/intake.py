"""What the program's threads hand to the worker's loop: calls to store, and those that were cancelled."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from gigq.executor.items import Item
from gigq.new_job import NewJob

_MOST_WAITING = 10_000
"""Calls that wait to be stored. Whoever brings more waits: they would only take memory."""

_AT_ONCE = 500
"""Calls that are stored in one transaction, for which the slots wait."""


class Intake:
    """Two queues, filled by any thread and emptied by the loop's.

    Attributes:
        wake: wakes the loop.
        staged: what the loop has taken, until it is committed.
        is_closed: whether nothing is taken any more.
    """

    def __init__(self) -> None:
        self.wake: Callable[[], object] = lambda: None
        self.staged: list[tuple[Item, NewJob]] = []
        self.is_closed = False
        self._new: deque[tuple[Item, NewJob]] = deque()
        self._withdrawn: deque[Item] = deque()
        self._room = threading.Condition()

    def __bool__(self) -> bool:
        return bool(self._new or self.staged or self._withdrawn)

    def __len__(self) -> int:
        return len(self._new) + len(self.staged)

    def put(self, item: Item, job: NewJob) -> None:
        """Hand in a call."""
        # In one step: an interrupt finds the call here or not, and the loop never waits for one that is half there.
        self._new.append((item, job))
        self.wake()

    def wait_for_room(self) -> None:
        """Wait while too many calls wait to be stored."""
        if len(self._new) > _MOST_WAITING:
            with self._room:
                self._room.wait_for(lambda: len(self._new) <= _MOST_WAITING or self.is_closed)

    def withdraw(self, item: Item) -> None:
        """Hand in a call that was cancelled."""
        self._withdrawn.append(item)
        self.wake()

    def items(self) -> list[Item]:
        """Return the calls that are not stored yet."""
        while True:
            with suppress(RuntimeError):  # it has changed meanwhile
                return [item for item, _ in (*self._new, *self.staged)]

    def stage(self) -> None:
        """Take the next calls, unless some are still to be written."""
        if not self.staged:
            with suppress(IndexError):
                while len(self.staged) < _AT_ONCE:
                    self.staged.append(self._new.popleft())

    def note_written(self) -> None:
        """Forget what was staged, and let in what waits."""
        self.staged = []
        if len(self._new) <= _MOST_WAITING:
            with self._room:
                self._room.notify_all()

    def withdrawn(self) -> list[Item]:
        """Return and forget what was cancelled."""
        found = []
        with suppress(IndexError):
            while True:
                found.append(self._withdrawn.popleft())
        return found

    def close(self) -> list[Item]:
        """Take nothing any more, and return what is not stored yet."""
        self.is_closed = True
        with self._room:
            self._room.notify_all()
        left = [item for item, _ in self.staged]
        with suppress(IndexError):
            while True:
                left.append(self._new.popleft()[0])
        return left
