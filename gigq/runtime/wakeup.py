"""Wait for another thread and for a file at the same time."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress

LONGEST_WAIT = 86_400.0
"""Seconds. The system counts milliseconds in 32 bits."""


class Wakeup:
    """One thread waits, and any other wakes it, also from a signal handler. Waking costs little while none waits."""

    def __init__(self) -> None:
        # A pair of sockets rather than a pipe, because select() on Windows accepts sockets only.
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._receiver, selectors.EVENT_READ)
        self._file: int | None = None
        self._is_waiting = self._is_called = False

    def wait(self, seconds: float, *, file: int | None = None) -> bool:
        """Wait this many seconds, or until `wake` is called or a file is readable. A call since the last wait counts.

        True if it has seen that the file is readable.
        """
        self._watch(file)
        # Before the look at the call: one that comes after the look finds this thread waiting, and sends a byte.
        self._is_waiting = True
        found = [] if self._is_called else self._selector.select(min(seconds, LONGEST_WAIT))
        self._is_waiting = self._is_called = False
        readable = {key.fd for key, _ in found}
        if self._receiver.fileno() in readable:
            self._receiver.recv(4096)
        return file in readable

    def wake(self) -> None:
        """End the wait that is going on, or else the next one."""
        if not self._is_called:
            self._is_called = True
            if self._is_waiting:
                with suppress(OSError):  # it is full, and so the wait ends anyway; or it is closed
                    self._sender.send(b".")

    def close(self) -> None:
        """Close the files."""
        self._selector.close()
        self._receiver.close()
        self._sender.close()

    def _watch(self, file: int | None) -> None:
        if file == self._file:
            return
        if self._file is not None:
            self._selector.unregister(self._file)
        if file is not None:
            self._selector.register(file, selectors.EVENT_READ)
        self._file = file
