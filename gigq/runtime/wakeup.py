"""How a thread waits for another one and for a file at once, and is woken."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress

LONGEST_WAIT = 86_400.0


class Wakeup:
    """One thread waits, any other wakes it, also from a signal handler. Costs the waker nothing while nobody waits."""

    def __init__(self) -> None:
        # A pair of sockets and not a pipe: select() of Windows knows sockets only.
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._receiver, selectors.EVENT_READ)
        self._file: int | None = None
        self._is_called = False

    def wait(self, seconds: float, *, file: int | None = None) -> bool:
        """Return after so many seconds, when `wake` was called since the last wait, or when a file can be read.

        True if it has seen that the file can be read.
        """
        self._watch(file)
        found = [] if self._is_called else self._selector.select(min(seconds, LONGEST_WAIT))
        # Forget the call before the byte: a call that comes between the two sends another byte.
        self._is_called = False
        with suppress(BlockingIOError):
            self._receiver.recv(4096)
        return any(key.fd == file for key, _ in found)

    def wake(self) -> None:
        """End the wait that goes on, or else the next one."""
        if not self._is_called:
            self._is_called = True
            with suppress(OSError):  # full, and so awake; or closed
                self._sender.send(b".")

    def close(self) -> None:
        """Let go of the files."""
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
