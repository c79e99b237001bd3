"""Whether anything was committed to a file, seen by a connection of its own that commits nothing.

The version that SQLite gives to a file is that of what all other connections have committed, so that one which writes
itself does not see its own commits. This one sees those of all threads of this process, and each thread is told the
same.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gigq.store.engine.files import MEMORY
from gigq.store.engine.forking import PROCESS
from gigq.store.engine.marks import mark_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from gigq.store.engine.connections import ConnectionPool


class Changes:
    """Watches one file. Safe to share between threads, and to keep across a fork.

    Args:
        pool: opens the connection; only this uses it. For a queue in memory it is that of the queue itself.
        must_be_there: raises unless the queue is open, and its file the one that was opened.
    """

    def __init__(self, pool: ConnectionPool, must_be_there: Callable[[], None]) -> None:
        self._pool = pool
        self._must_be_there = must_be_there
        self._lock = threading.Lock()

    def mark(self) -> object:
        """Return what equals an earlier mark only if nothing was committed in between.

        Raises:
            QueueGone: the file was deleted or replaced.
            StoreError: the queue was closed.
            sqlite3.Error: the file cannot be read.
        """
        # In this order: a fork waits for who is inside, and so never comes while another thread has the lock.
        with PROCESS.passage(), self._lock:
            self._must_be_there()
            connection = self._pool.connection()
            return _in_memory(connection) if self._pool.path == MEMORY else mark_of(connection, is_alone=False)

    def close(self) -> None:
        """Close the connection, unless it is that of the queue."""
        if self._pool.path != MEMORY:
            with PROCESS.passage(), self._lock:
                self._pool.discard()


def _in_memory(connection: sqlite3.Connection) -> object:
    # While a transaction is open, nobody knows what of it will be committed.
    return object() if connection.in_transaction else connection.total_changes
