"""One SQLite connection for each thread of each process, never one that was inherited by a fork."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Literal

Durability = Literal["full", "normal"]

_EVERY_POOL: weakref.WeakSet[ConnectionPool] = weakref.WeakSet()
_POOLS_LOCK = threading.Lock()


class ConnectionPool:
    """Hands every thread its own connection to one file. Safe to share between threads and across forks.

    ``":memory:"`` is a single connection, for whoever holds the lock of the database above.
    """

    def __init__(self, path: str, durability: Durability) -> None:
        self._path = path
        self._durability = durability
        self._is_closed = False
        self._forget()
        with _POOLS_LOCK:
            _EVERY_POOL.add(self)

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection, opened at the first call.

        Raises:
            sqlite3.ProgrammingError: the pool was closed.
        """
        if self._is_closed:
            raise sqlite3.ProgrammingError("this queue is closed; open it again with JobQueue(…)")
        connection = self.current()
        if connection is None:
            holder = _Holder(self._open())
            with self._lock:
                self._holders.add(holder)
            self._local.holder = holder
            connection = holder.connection
        return connection

    def current(self) -> sqlite3.Connection | None:
        """Return this thread's connection if it has one."""
        holder: _Holder | None = getattr(self._local, "holder", None)
        return holder.connection if holder else None

    def close(self) -> None:
        """Close the connections of all threads. What they were writing is rolled back."""
        self._is_closed = True
        self.release()

    def release(self) -> None:
        """Close the connections of all threads; the next use opens new ones."""
        with self._lock:
            holders = list(self._holders)
            self._forget()
        for holder in holders:
            holder.close()

    def leak(self) -> None:
        """Forget every connection without closing it, in the child of a fork.

        "Do not open an SQLite database connection, then fork(), then try to use that database connection in the
        child process", nor close it there: https://sqlite.org/howtocorrupt.html section 2.6.
        """
        for holder in list(self._holders):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(holder))
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._holders: weakref.WeakSet[_Holder] = weakref.WeakSet()
        self._local: threading.local | _Shared = _Shared() if self._path == ":memory:" else threading.local()

    def _open(self) -> sqlite3.Connection:
        # timeout=0: SQLite's own busy handler starves under contention (once in 6,756 tries); database.py waits instead.
        connection = sqlite3.connect(
            _as_uri(self._path),
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            for pragma in (
                "foreign_keys = ON",
                f"synchronous = {self._durability}",
                "temp_store = MEMORY",
                "journal_size_limit = 4194304",
                "wal_autocheckpoint = 1000",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:  # the file is locked while another process recovers it, or is no database
            connection.close()
            raise
        return connection


class _Holder:
    """Closes its connection when its thread has ended."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def close(self) -> None:
        self.connection.close()

    def __del__(self) -> None:
        self.close()


class _Shared:
    """In the place of a threading.local, where all threads share one connection."""

    holder: _Holder | None = None


def close_connections() -> None:
    """Close every connection that this process holds; each queue opens new ones when it is next used."""
    for pool in _pools():
        pool.release()


def _leak_all() -> None:
    global _POOLS_LOCK
    _POOLS_LOCK = threading.Lock()  # another thread of the parent may have held it
    for pool in _pools():
        pool.leak()


def _pools() -> list[ConnectionPool]:
    with _POOLS_LOCK:
        return list(_EVERY_POOL)


def _as_uri(path: str) -> str:
    """Opened only if it exists: the database above creates the file, with its own mode."""
    if path == ":memory:":
        return "file::memory:"
    return Path(path).absolute().as_uri() + "?mode=rw"


_register: Callable[..., None] | None = getattr(os, "register_at_fork", None)
if _register is not None:
    # Nothing else tells a process that it is the child of a fork before it can do harm.
    _register(after_in_child=_leak_all)
