"""A queue's file that is only looked at, also where this process may not write it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

from gigq.errors import QueueBusy, StoreError
from gigq.store.engine import files
from gigq.store.engine.connections import ConnectionPool, Durability, as_uri
from gigq.store.engine.database import Database
from gigq.store.engine.files import MEMORY
from gigq.store.engine.transaction import Transaction

Mark = tuple[int, ...]
"""What changes with each write to a file."""


class ReadOnlyDatabase(Database):
    """One SQLite file that is never written. Safe to share between threads."""

    def read(self) -> AbstractContextManager[Transaction]:
        """As `Database.read`.

        Raises:
            QueueBusy: a program has begun to write the file during the look, which may have seen half of that. Only
                where this process may not write it, and nobody had it open before.
        """
        return self._whole(super().read())

    def write(self) -> NoReturn:
        self.must_be_writable()

    def must_be_writable(self) -> NoReturn:
        raise StoreError(f"{self.path!r} was opened read-only; open it without read_only=True to change it")

    def tend_log(self) -> None:
        """Nothing: that is for those who write."""

    def _refuse_unwritable(self) -> None:
        """Nothing: it need not be writable."""

    def _new_pool(self, durability: Durability) -> ConnectionPool:
        if self.path == MEMORY:
            raise ValueError("read_only is True, and a queue in memory would be new and empty")
        return _ReadOnlyPool(self.file, durability)

    @contextmanager
    def _whole(self, session: AbstractContextManager[Transaction]) -> Iterator[Transaction]:
        with session as tx:
            yield tx
            if not _is_still(self._pool.current(), self.file):
                self._pool.discard()
                raise QueueBusy(f"{self.path!r} was changed by another program while it was read; read it again")


class _Connection(sqlite3.Connection):
    """A connection that relies on its file's staying as it was at this mark, if there is one."""

    mark: Mark | None = None


class _ReadOnlyPool(ConnectionPool):
    """Connections that cannot write, and leave no file behind.

    Where this process may write, SQLite reads as usual: it makes its log, and deletes it at the end. Elsewhere it would
    fail, or leave a log that the file's owner cannot write. There it needs none if nobody has the file open: it is told
    that the file does not change, and we see to it that this is so.
    """

    def connection(self) -> sqlite3.Connection:
        if not _is_still(self.current(), self.path):
            self.discard()
        return super().connection()

    def _open(self) -> sqlite3.Connection:
        mark = _mark_of_still(self.path)
        reason = files.unwritten(self.path)
        if reason and files.size(log := f"{self.path}-wal") and not os.path.exists(f"{self.path}-shm"):
            raise StoreError(f"{reason}, which is necessary here to read what {log!r} holds")
        uri = as_uri(self.path) if mark is None else as_uri(self.path).replace("mode=rw", "mode=ro&immutable=1")
        pragmas = ("PRAGMA query_only = ON", "PRAGMA temp_store = MEMORY")
        connection = self._connect(uri, *pragmas, factory=_Connection)
        vars(connection)["mark"] = mark
        return connection


def _is_still(connection: sqlite3.Connection | None, file: str) -> bool:
    mark = connection.mark if isinstance(connection, _Connection) else None
    return mark is None or mark == _mark_of_still(file)


def _mark_of_still(file: str) -> Mark | None:
    """Return the mark of a file that this process may not write, and that nobody is writing; None for any other."""
    if files.may_write(file) or os.path.exists(f"{file}-journal"):
        return None
    if files.size(log := f"{file}-wal") or (os.path.exists(log) and os.path.exists(f"{file}-shm")):
        return None
    found = os.stat(file)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
