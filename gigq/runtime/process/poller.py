"""Wait for child processes, for another thread and for a file at the same time."""

from __future__ import annotations

import math
import select
import socket
from collections.abc import Sequence
from contextlib import suppress

from gigq.runtime.process.handle import Child
from gigq.runtime.wakeup import LONGEST_WAIT


class Poller:
    """Waits for children, and sends them what they had no room for. Any thread may `wake` the one that waits."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def poll(self, children: Sequence[Child], seconds: float, *, bell: int | None = None) -> tuple[list[Child], bool]:
        """Wait this many seconds at most. Return the children that can be read, and whether the bell is readable.

        Returns as soon as a child or the bell can be read, or `wake` is called.
        """
        # Made again each time, 1 us a child: a file that is opened may get the number of one that was closed.
        poll = select.poll()
        poll.register(self._receiver, select.POLLIN)
        if bell is not None:
            poll.register(bell, select.POLLIN)
        for child in children:
            poll.register(child, select.POLLIN | (select.POLLOUT if child.is_writing else 0))
        events = dict(poll.poll(math.ceil(1000 * min(max(seconds, 0.0), LONGEST_WAIT))))
        if self._receiver.fileno() in events:
            self._receiver.recv(4096)
        readable = []
        for child in children:
            event = events.get(child.fileno(), 0)
            if event & select.POLLOUT:
                child.send()
            if event & ~select.POLLOUT:
                readable.append(child)
        return readable, bell in events

    def wake(self) -> None:
        """End the wait that is going on, or else the next one. Safe in any thread, and in a signal handler."""
        with suppress(OSError):  # it is full, and so the wait ends anyway; or it is closed
            self._sender.send(b".")

    def close(self) -> None:
        """Close the files."""
        self._receiver.close()
        self._sender.close()
