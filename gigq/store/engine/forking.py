"""The connections that this process holds: none of them is open while it forks.

It is not enough that the child of a fork leaves inherited connections alone. SQLite keeps the locks of a process in
tables in its memory, which the child inherits, while the kernel does not let it inherit the locks. A connection that
the child opens then finds in these tables that the file is locked already, and does not lock it. When the parent
closes, it takes itself for the last user and deletes the write-ahead log, and what the child commits is lost (98 jobs
of 200 in our test). So before a fork the transactions of other threads end and all connections are closed; parent and
child open new ones when they next need them. See https://sqlite.org/howtocorrupt.html, section 2.6.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gigq.importing import IMPORTING


class _Process:
    """The connections of this process, and the gate that its transactions pass. Safe to use from any thread.

    Attributes:
        generation: grows whenever all connections are closed; one of an earlier generation must not be used.
        is_spoilt: this process was forked inside a transaction, and can use no queue that it inherited.
        inside: how often each thread is inside the gate: a transaction of one queue may enclose one of another.
        lent: connections in a transaction that code of a user's holds open, each with its thread. Forks wait for them;
            `closing` does not, for nobody knows how long that code takes.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.is_spoilt = False
        self._open: dict[int, sqlite3.Connection] = {}
        self._dismissed: deque[sqlite3.Connection] = deque()
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._closers: dict[int, int] = {}
        self.inside: dict[int, int] = {}
        self.lent: dict[sqlite3.Connection, int] = {}

    @contextmanager
    def lending(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Keep other threads from forking while the block, in which a transaction is open, runs code of a user's.

        The connection is the block's own, and its to close. Unlike a passage it need not be left by the thread that
        entered it, nor in the order of entering.
        """
        with self.passage():
            self.lent[connection] = threading.get_ident()
        process = os.getpid()
        try:
            yield
        finally:
            if process == os.getpid():  # in the child of a fork it is kept from being closed
                with self._lock:
                    self.lent.pop(connection, None)
                    self._changed.notify_all()

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Use connections while the block runs: no other thread forks or closes them meanwhile."""
        thread = threading.get_ident()
        before = self.inside.get(thread, 0)
        try:
            self.enter(thread)
            yield
        finally:
            self.leave(thread, before)

    # The parts of `passage`, for transactions, which are mostly a submit: context managers took as long as SQLite.

    def enter(self, thread: int) -> None:
        """Pass the gate, unless another thread has shut it; then wait."""
        with self._lock:
            if self._closers:
                self._wait_at_the_gate(thread)
            self.inside[thread] = self.inside.get(thread, 0) + 1
        if self._dismissed:
            self._close_dismissed()

    def leave(self, thread: int, before: int) -> None:
        """Let this thread be inside as often as it was before `enter`, however far that came before an interrupt."""
        with self._lock:
            if before:
                self.inside[thread] = before
            else:
                self.inside.pop(thread, None)
            if self._closers:
                self._changed.notify_all()

    @contextmanager
    def closing(self, *, is_patient: bool = False) -> Iterator[None]:
        """Keep other threads out while the block closes connections: to close one that is in use crashes Python."""
        self._shut(is_patient=is_patient)
        try:
            yield
        finally:
            self._reopen()

    def adopt(self, connection: sqlite3.Connection) -> None:
        """Take charge of a connection that was opened inside a passage."""
        self._open[id(connection)] = connection

    def disown(self, connection: sqlite3.Connection) -> None:
        """Leave a connection to another's charge, who sees to it that it is not open during a fork: see `lending`."""
        self._open.pop(id(connection), None)

    def dismiss(self, connection: sqlite3.Connection) -> None:
        """Have a connection closed at the next passage. Takes no lock, so it is safe in a `__del__`."""
        self._dismissed.append(connection)

    def close(self, connection: sqlite3.Connection) -> None:
        """Close a connection; a second time does nothing."""
        self._open.pop(id(connection), None)
        connection.close()

    def close_connections(self) -> None:
        """Close every connection of this process; each queue opens new ones when it is next used.

        Waits until the transactions of other threads have ended.
        """
        with self.closing(is_patient=True):
            self._close_all()

    def at_exit(self) -> None:
        """Close what is not lent: a daemon thread may be in code of a user's, and end with the process."""
        with self.closing():
            self._close_all()

    def before_fork(self) -> None:
        self._shut(is_patient=True)
        IMPORTING.acquire()  # after the gate, because who is inside it may be importing
        if not (self.inside or self.lent):
            self._close_all()
        else:
            import ctypes  # noqa: F401 - for the child, which should import nothing; few programs come here

    def after_fork_in_parent(self) -> None:
        IMPORTING.release()
        self._reopen()

    def after_fork_in_child(self) -> None:
        IMPORTING.release()
        lent = self.lent
        self._reset()
        if self._open or lent:  # forked by a thread that has a transaction open: to close its connection would harm too
            import ctypes

            self.is_spoilt = True
            self.generation += 1  # so that no pool goes on with what it has
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._open))
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(lent))

    def _shut(self, *, is_patient: bool) -> None:
        """Keep other threads from entering, and wait until all of them are out, and with patience all lent connections.

        Who forks or closes all connections is patient; who closes some that nobody has lent is not.
        """
        self._lock.acquire()
        thread = threading.get_ident()
        self._closers[thread] = self._closers.get(thread, 0) + 1
        while self.inside.keys() - {thread} or (is_patient and {*self.lent.values()} - {thread}):
            self._changed.wait()

    def _reopen(self) -> None:
        thread = threading.get_ident()
        self._closers[thread] -= 1
        if not self._closers[thread]:
            del self._closers[thread]
        self._changed.notify_all()
        self._lock.release()

    def _wait_at_the_gate(self, thread: int) -> None:
        """Let threads that are inside come out. Without this, threads that take turns would keep it busy for ever."""
        while self._closers and not (thread in self._closers or thread in self.inside or thread in self.lent.values()):
            self._changed.wait()

    def _close_all(self) -> None:
        self.generation += 1
        for connection in list(self._open.values()):
            self.close(connection)

    def _close_dismissed(self) -> None:
        with suppress(IndexError):  # another thread may be quicker
            while self._dismissed:
                self.close(self._dismissed.popleft())


# The only state that belongs to the process and not to a queue, because it is the process that forks.
PROCESS = _Process()
close_connections = PROCESS.close_connections
atexit.register(PROCESS.at_exit)

if hasattr(os, "register_at_fork"):  # pragma: no branch: Windows has no fork
    os.register_at_fork(
        before=PROCESS.before_fork,
        after_in_parent=PROCESS.after_fork_in_parent,
        after_in_child=PROCESS.after_fork_in_child,
    )
