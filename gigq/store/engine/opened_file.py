"""One SQLite file: made, opened, kept in WAL mode, and missed when it is gone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gigq.errors import QueueGone, StoreError
from gigq.store.engine import files
from gigq.store.engine.bell import bell_of
from gigq.store.engine.connections import ConnectionPool, Durability
from gigq.store.engine.files import MEMORY
from gigq.store.engine.forking import PROCESS
from gigq.store.engine.mounts import warn_of_network
from gigq.store.engine.patience import Patience, tried
from gigq.store.engine.sqlite_errors import explained, let_ctrl_c_through, primary_code

# `lent` and `wal` are imported where they are needed: few programs need them.


class OpenedFile:
    """One SQLite file, and the connections of one object to it. Safe to share between threads.

    Args:
        path, timeout, durability, create, longest_pause: as for `Database`.

    Attributes:
        file: its absolute path, because the program may change its directory.
        identity: what tells it from all other files; None for a queue in memory.
        bell: wakes the workers of the file.
        patience: how to wait for other writers.

    Raises:
        NotAQueue: there is no such file, and `create` is False.
        StoreError: the file cannot be opened or created.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout: float,
        durability: Durability,
        create: bool,
        longest_pause: float,
    ) -> None:
        self.path = files.plain_path(path)
        if durability not in ("full", "normal"):
            raise ValueError(f'durability is {durability!r:.80}; it must be "full" or "normal"')
        self.file = self.path if self.path == MEMORY else os.path.abspath(self.path)
        self.durability = durability
        self.bell = bell_of(self.file)
        self.patience = Patience(self.path, timeout, longest_pause)
        self._pool = self._new_pool(durability)
        if create and self.path != MEMORY:
            with self._explaining():
                files.create(self.file)
        self.identity: tuple[int, int] | None = files.identity(self.file)
        if self.path != MEMORY and self.identity is None:
            raise files.missing(self.path)
        if self.identity is not None:
            self._refuse_unwritable()
            warn_of_network(self.file, self.identity[0])

    def must_be_writable(self) -> None:
        """Refuse to go on if it was opened only to look: for what reads, and writes only if there is something to do.

        Raises:
            StoreError: it was opened read-only.
        """

    def use_wal(self, *, is_used: bool) -> None:
        """Have the file use write-ahead logging, unless it does, as `is_used` says.

        Other programs make copies that are not in it, and may switch a file back. If somebody reads the file for all of
        `timeout`, it stays in the mode it has, and new connections and heartbeats try again.
        """
        if self.path == MEMORY:
            return
        if not is_used:
            from gigq.store.engine import wal

            with suppress(StoreError), PROCESS.passage(), self._explaining():
                wal.switch_on(self._connection, self.patience)
        self._pool.uses_wal = True

    def tend_log(self) -> None:
        """Start the write-ahead log over if a reader has let it grow, and switch it on if another program has not.

        Nothing happens while a reader prevents it. Raises as `write`.
        """
        from gigq.store.engine import wal

        if self.path == MEMORY or wal.is_well(self.file):
            return
        with PROCESS.passage(), self._explaining():
            wal.tend(self._connection, self.file)

    @property
    def is_alone(self) -> bool:
        """Whether no other connection of this process has the file open, as far as that can be seen."""
        return self.path == MEMORY or self._pool.is_alone

    @property
    def is_locked(self) -> bool:
        """Whether a writer has the lock now."""
        with PROCESS.passage(), self._explaining():
            has_lock = tried(self._connection, "BEGIN IMMEDIATE", "PRAGMA schema_version") is not None
            self._roll_back()
        return not has_lock

    def must_be_open(self, closed: str | None = None) -> None:
        """Refuse to go on if it was closed, with this sentence, or one that names the file."""
        self._pool.must_be_open(closed)

    def must_exist(self) -> None:
        """Refuse to go on if the file is not the one that was opened.

        Raises:
            QueueGone: it was deleted or replaced.
        """
        if self.path != MEMORY and files.identity(self.file) != self.identity:
            raise QueueGone(f"{self.path!r} was deleted or replaced while it was open; open it again")

    def close(self) -> None:
        """Close the connections of all threads."""
        self._pool.close()

    def _refuse_unwritable(self) -> None:
        files.must_be_writable(self.path)

    def _new_pool(self, durability: Durability) -> ConnectionPool:
        if self.path != MEMORY:
            return ConnectionPool(self.file, durability)
        from gigq.store.engine.lent import LentConnection

        # In memory there is no other connection that could be lent.
        return ConnectionPool(self.file, durability, factory=LentConnection)

    def _roll_back(self) -> None:
        connection = self._pool.current()
        if connection is None:
            return
        connection.set_progress_handler(None, 0)  # an interrupt may have come before `Budget` took it away
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        self.must_exist()
        return self._pool.connection()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> StoreError:
        let_ctrl_c_through(error)
        if primary_code(error) == sqlite3.SQLITE_READONLY:
            self._pool.discard()  # it was opened while the file could not be written, and never looks again
        return explained(error, self.path)
