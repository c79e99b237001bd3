"""How one thread waits for children, for a call from another thread and for a file, whichever comes first."""

from __future__ import annotations

import math
import select
import socket
from collections.abc import Sequence
from contextlib import suppress

from gigq.runtime.process.handle import Child

_LONGEST_WAIT = 86_400.0


class Listening:
    """Waits for children, and sends them what they had no room for. Any thread may `wake` the one that waits."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def listen(self, children: Sequence[Child], seconds: float, *, bell: int | None = None) -> tuple[list[Child], bool]:
        """Return the children that speak within so many seconds, and whether the bell has rung.

        Returns as soon as one speaks, a call comes or the bell rings.
        """
        # Made anew each time, 1 us a child: the number of a file that was closed comes back as that of another.
        poll = select.poll()
        poll.register(self._receiver, select.POLLIN)
        if bell is not None:
            poll.register(bell, select.POLLIN)
        for child in children:
            poll.register(child, select.POLLIN | (select.POLLOUT if child.is_writing else 0))
        events = dict(poll.poll(math.ceil(1000 * min(max(seconds, 0.0), _LONGEST_WAIT))))
        if self._receiver.fileno() in events:
            self._receiver.recv(4096)
        speaking = []
        for child in children:
            event = events.get(child.fileno(), 0)
            if event & select.POLLOUT:
                child.send()
            if event & ~select.POLLOUT:
                speaking.append(child)
        return speaking, bell in events

    def wake(self) -> None:
        """End the wait that goes on, or else the next one. Safe in any thread, and in a signal handler."""
        with suppress(OSError):  # full of calls, and so awake; or closed
            self._sender.send(b".")

    def close(self) -> None:
        """Let go of the files."""
        self._receiver.close()
        self._sender.close()
