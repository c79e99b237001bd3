"""The bell, by which a process that has stored a job wakes the workers: it touches the queue's file, which they watch.

A bell needs no file of its own, because copies of a folder come to grief at a FIFO or a socket, or wait for ever. It
rings for everyone who may write the queue, in other containers too.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import socket

CAN_WATCH = sys.platform == "linux"
"""Whether the system has inotify(7)."""

_IN_ATTRIB = 4
"""A file's times, mode, owner or links have changed. What SQLite writes into the file is another event."""


class Bell(Protocol):
    """How soon an idle worker looks depends on it, and nothing else: it looks at its polling interval in any case."""

    @property
    def is_first(self) -> bool:
        """Whether this listener should look at once; the others leave what there is to do to it for a moment."""

    def ring(self) -> None:
        """Wake the workers that listen; if none does, do nothing. It never waits."""

    def listen(self) -> int | None:
        """Return the file to wait on, opening it if necessary; None where workers have to poll."""

    def clear(self) -> bool:
        """Take the rings out, and return whether there were any."""

    def close(self) -> None:
        """Stop listening."""

    def remove(self) -> None:
        """Delete what a bell has left next to the queue's file."""


def bell_of(path: str) -> Bell:
    """Return the bell of the queue in a file."""
    if CAN_WATCH:
        return Touch(path)
    from gigq.store.engine.fifo import Fifo

    return Fifo(path)


class Touch:
    """A bell that is rung by setting the times of the queue's file to now.

    Each listener hears every ring; any number of rings that it has not taken out yet are one.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._seat: socket.socket | None = None
        self.is_first = False

    def ring(self) -> None:
        with suppress(OSError):  # the file is gone, or its mode has been changed since
            os.utime(self._path)

    def listen(self) -> int | None:
        if self._file is None:
            self.remove()
            self._file = _watch(self._path)
        return self._file

    def clear(self) -> bool:
        if self._file is None:
            return False
        try:
            os.read(self._file, 4096)
        except BlockingIOError:
            return False
        self.is_first = self.is_first or self._comes_first()
        return True

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        if self._seat is not None:
            self._seat.close()
        self._file, self._seat, self.is_first = None, None, False

    def remove(self) -> None:
        """Delete the FIFO that earlier versions of gigq left next to the file when a worker was killed."""
        left = f"{os.path.realpath(self._path)}-bell"
        with suppress(OSError):
            if stat.S_ISFIFO(os.lstat(left).st_mode):
                os.unlink(left)

    def _comes_first(self) -> bool:
        """Take the seat of the first listener, which is free when nobody in this network namespace has it.

        It is a name for a socket, in no folder, that nothing is ever sent to. The kernel frees it when its holder ends.
        """
        import socket  # only here: workers alone need it

        with suppress(OSError):  # another has it; or the queue's file is gone
            found = os.stat(self._path)
            if self._seat is None:
                self._seat = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._seat.bind(f"\0gigq-{found.st_dev:x}-{found.st_ino:x}")
            return True
        return False


def _watch(path: str) -> int | None:
    """Return a file that can be read when another one has been touched; None where that cannot be had."""
    with suppress(ImportError, AttributeError):  # a Python without ctypes, a C library without inotify
        import ctypes  # only here: workers alone need it

        libc = ctypes.CDLL(None)
        file: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if file < 0:  # this user's programs watch as much as the system allows
            return None
        if libc.inotify_add_watch(file, os.fsencode(path), _IN_ATTRIB) >= 0:
            return file
        os.close(file)
    return None
