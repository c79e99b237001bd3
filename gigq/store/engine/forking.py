"""All connections that this process holds, so that none is open while it forks.

It is not enough that the child of a fork leaves inherited connections alone. SQLite keeps the locks of a process in
tables of the process, which the child inherits, while the kernel gives it none of the locks. A connection that the
child opens anew finds in the table that the file is locked already, and does not lock it: the parent, when it closes,
takes itself for the last, deletes the write-ahead log, and what the child then commits is lost (98 jobs of 200 in our
test). So before a fork the other threads' transactions end, all connections are closed, and parent and child each
open new ones when they next need them. See https://sqlite.org/howtocorrupt.html, section 2.6.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class _Process:
    """The connections of this process, and the gate that its transactions pass. Safe to use from any thread.

    Attributes:
        generation: grows whenever all connections were closed; one of an earlier generation is not to be used.
        is_spoilt: this process was forked inside a transaction, and can use no queue that it inherited.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.is_spoilt = False
        self._open: dict[int, sqlite3.Connection] = {}
        self._dismissed: deque[sqlite3.Connection] = deque()
        self._condition = threading.Condition()
        self._inside: Counter[int] = Counter()

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Use connections while the block runs: nobody forks or closes them meanwhile."""
        me = threading.get_ident()
        with self._condition:  # not to be had while another thread has shut it
            self._inside[me] += 1
        try:
            self._close_dismissed()
            yield
        finally:
            with self._condition:
                self._inside -= Counter({me: 1})
                self._condition.notify_all()

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Keep the other threads out while the block closes connections: to close one in use crashes the process."""
        self._shut()
        try:
            yield
        finally:
            self._reopen()

    def adopt(self, connection: sqlite3.Connection) -> None:
        """Take care of a connection that was opened inside a passage."""
        self._open[id(connection)] = connection

    def dismiss(self, connection: sqlite3.Connection) -> None:
        """Have a connection closed inside the next passage. Takes no lock: safe in a `__del__`."""
        self._dismissed.append(connection)

    def close(self, connection: sqlite3.Connection) -> None:
        """Close a connection; a second time does nothing."""
        self._open.pop(id(connection), None)
        connection.close()

    def close_connections(self) -> None:
        """Close every connection that this process holds; each queue opens new ones when it is next used.

        Waits until the transactions of other threads have ended.
        """
        with self.closing():
            self._close_all()

    def before_fork(self) -> None:
        self._shut()
        if not self._inside:
            self._close_all()
        else:
            import ctypes  # noqa: F401 - for the child, which should import nothing, and for few programs at all

    def after_fork_in_parent(self) -> None:
        self._reopen()

    def after_fork_in_child(self) -> None:
        self._condition = threading.Condition()
        self._inside.clear()
        if self._open:  # forked by the very thread that has a transaction open: to close it here would do harm too
            import ctypes

            self.is_spoilt = True
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._open))

    def _shut(self) -> None:
        """Let nobody in, and wait until all others are out."""
        self._condition.acquire()
        while self._inside.keys() - {threading.get_ident()}:
            self._condition.wait()

    def _reopen(self) -> None:
        self._condition.release()

    def _close_all(self) -> None:
        self.generation += 1
        for connection in list(self._open.values()):
            self.close(connection)

    def _close_dismissed(self) -> None:
        with suppress(IndexError):  # another thread may be quicker
            while self._dismissed:
                self.close(self._dismissed.popleft())


# The one thing that belongs to the process and not to a queue, for it is the process that forks.
PROCESS = _Process()
close_connections = PROCESS.close_connections
atexit.register(close_connections)

if hasattr(os, "register_at_fork"):  # pragma: no branch: Windows has no fork
    os.register_at_fork(
        before=PROCESS.before_fork,
        after_in_parent=PROCESS.after_fork_in_parent,
        after_in_child=PROCESS.after_fork_in_child,
    )
