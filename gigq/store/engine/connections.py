"""One SQLite connection for each thread of each process."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

from gigq.errors import StoreError
from gigq.store.engine.files import MEMORY
from gigq.store.engine.forking import PROCESS
from gigq.store.engine.searching import add_search

if TYPE_CHECKING:
    from gigq.store.engine import lent

# `lent` is imported where it is needed: few programs need it.

Durability = Literal["full", "normal"]

CLOSED = "this queue is closed; open it again with JobQueue(…)"
"""Said of what was closed by the caller."""

_FOR_EVER = math.inf
"""The generation of a connection to a queue in memory, which would go with it."""

_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA wal_autocheckpoint = 1000",
)
_SYNCHRONOUS = {"full": "PRAGMA synchronous = FULL", "normal": "PRAGMA synchronous = NORMAL"}


class ConnectionPool:
    """One connection to a file for each thread. Safe to share between threads, and to keep across a fork.

    For ``":memory:"``, and for a running job, it is a single connection, to be used by one thread at a time, as
    `Database` sees to.

    Attributes:
        uses_wal: whether a new connection tries to switch the file to write-ahead logging, if another program has
            switched it back.
    """

    def __init__(
        self,
        path: str,
        durability: Durability,
        *,
        is_shared: bool = False,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self.path = path
        self.uses_wal = False
        self._durability = durability
        self._factory = factory
        self._is_closed = False
        self._lock = threading.Lock()
        self._handles: weakref.WeakSet[Handle] = weakref.WeakSet()
        self._local: threading.local | _Shared = _Shared() if is_shared or path == MEMORY else threading.local()

    def for_one_job(self, factory: type[sqlite3.Connection]) -> ConnectionPool:
        """Return a pool of one connection for all threads, of this class, which is opened like those of this one."""
        return ConnectionPool(self.path, self._durability, is_shared=True, factory=factory)

    def apart_for_all(self) -> ConnectionPool:
        """Return a pool of one connection for all threads, which is opened like those of this one.

        For a queue in memory, which has but one connection, it is this pool.
        """
        return self if self.path == MEMORY else type(self)(self.path, self._durability, is_shared=True)

    def take(self) -> Handle:
        """Take this thread's connection out of the pool, for the caller alone. Only inside a passage of `PROCESS`."""
        handle = self._local.handle
        assert handle is not None
        self._local.handle = None
        PROCESS.disown(handle.connection)
        return handle

    def put(self, handle: Handle) -> None:
        """Take back what was taken, unless there is another one by now. Only inside a passage of `PROCESS`."""
        PROCESS.adopt(handle.connection)
        if self._local.handle is None:
            handle.generation = PROCESS.generation
            self._local.handle = handle
        else:
            PROCESS.close(handle.connection)

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection, after opening it at the first call. Only inside a passage of `PROCESS`.

        Raises:
            StoreError: the pool was closed, or the process cannot use it.
        """
        handle: Handle | None = getattr(self._local, "handle", None)
        if handle is not None and handle.generation == PROCESS.generation:  # as `current` says, in half the time
            return handle.connection
        return self.current() or self._connected()

    def current(self) -> sqlite3.Connection | None:
        """Return this thread's connection if it has one that may be used."""
        handle: Handle | None = getattr(self._local, "handle", None)
        if handle is None or (handle.generation != PROCESS.generation and handle.generation is not _FOR_EVER):
            return None
        return handle.connection

    def discard(self) -> None:
        """Close this thread's connection, and with it its transaction; the next call opens another one.

        Not a queue in memory, which would be lost.
        """
        connection = self.current()
        if connection is not None and self.path != MEMORY:
            self._local.handle = None
            PROCESS.close(connection)

    def discard_unfinished(self) -> None:
        """Close this thread's connection if a transaction is still open on it, which would hold the write lock."""
        connection = self.current()
        if connection is not None and connection.in_transaction:
            self.discard()

    @property
    def is_alone(self) -> bool:
        """Whether no other connection of this process has the file open, as far as that can be seen."""
        try:
            found = [os.stat(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd") if _is_open(each)]
        except OSError:  # not on Linux
            return False
        mine, file = sum(each.generation == PROCESS.generation for each in self._handles), os.stat(self.path)
        return sum(os.path.samestat(each, file) for each in found) <= mine

    def must_be_open(self, closed: str | None = None) -> None:
        """Refuse to go on if the pool was closed, with a sentence about what the caller holds; by default, a queue.

        Raises:
            StoreError: it was closed.
        """
        if self._is_closed:
            raise StoreError(closed or f"{self.path!r}: {CLOSED}")

    def close(self) -> None:
        """Close the connections of all threads, once their transactions have ended.

        Who has opened the queue alone waits for nobody: others may be waiting for a transaction that is lent to it.
        """
        self._is_closed = True
        with self._lock:
            mine = None if isinstance(self._local, _Shared) else getattr(self._local, "handle", None)
            is_mine_alone = not set(self._handles) - {mine}
        if is_mine_alone:
            with PROCESS.passage():
                return self.discard()
        with PROCESS.closing(), self._lock:
            for handle in self._handles:
                handle.generation = None
                PROCESS.close(handle.connection)

    @contextmanager
    def apart(self) -> Iterator[lent.LentConnection]:
        """Open a connection for one transaction of a user's, and close it; settings are as in sqlite3.

        Of a queue in memory, which has but one, it is that one, and its settings are put back.
        """
        from gigq.store.engine import lent

        if self.path == MEMORY:
            shared = self.connection()
            assert isinstance(shared, lent.LentConnection)
            with _usual_settings(shared):
                yield shared
            return
        self._must_be_usable()
        connection = self._connect(*self._address, factory=lent.LentConnection)
        assert isinstance(connection, lent.LentConnection)
        PROCESS.disown(connection)
        process, connection.text_factory = os.getpid(), str
        try:
            yield connection
        finally:
            if process == os.getpid():
                connection.close()

    def _must_be_usable(self) -> None:
        self.must_be_open()
        if PROCESS.is_spoilt:
            raise StoreError("this process was forked inside a transaction; start it by spawn instead")

    def _connected(self) -> sqlite3.Connection:
        self._must_be_usable()
        generation = _FOR_EVER if self.path == MEMORY else PROCESS.generation
        handle = self._local.handle = Handle(self._open(), generation)
        with self._lock:
            self._handles.add(handle)
        if self._is_closed:  # meanwhile, by who did not see this one
            self.discard()
            self.must_be_open()
        return handle.connection

    def _open(self) -> sqlite3.Connection:
        connection = self._connect(*self._address)
        if self.uses_wal:
            with suppress(sqlite3.OperationalError):  # others read it now; the next connection tries again
                connection.execute("PRAGMA journal_mode = WAL")
        return connection

    @property
    def _address(self) -> tuple[str, ...]:
        return as_uri(self.path), *_PRAGMAS, _SYNCHRONOUS[self._durability]

    def _connect(self, uri: str, *pragmas: str, **options: Any) -> sqlite3.Connection:
        # timeout=0: SQLite's own busy handler starves under contention (once in 6,756 tries); database.py waits.
        connection: sqlite3.Connection = sqlite3.connect(
            uri,
            uri=True,
            **{"factory": self._factory} | options,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.text_factory = readable
        add_search(connection)
        try:
            for pragma in pragmas:
                connection.execute(pragma)
        except sqlite3.Error:  # the file is locked while another process recovers it, or is no database
            connection.close()
            raise
        if self.path != MEMORY:
            PROCESS.adopt(connection)
        return connection


@contextmanager
def _usual_settings(connection: lent.LentConnection) -> Iterator[None]:
    """Let a connection have the settings that one of sqlite3 has while the block runs."""
    connection.text_factory = str
    try:
        yield
    finally:
        if connection.in_transaction:  # Ctrl-C came before it was lent
            connection.rollback()
        connection.row_factory, connection.text_factory = None, readable
        connection.isolation_level = None


class Handle:
    """What a thread holds of its connection; when the thread ends, the connection is dismissed.

    Attributes:
        generation: that of `PROCESS` in which it may be used; None once it was closed.
    """

    def __init__(self, connection: sqlite3.Connection, generation: int | float | None) -> None:
        self.connection = connection
        self.generation = generation

    def __del__(self) -> None:
        if PROCESS is not None:  # Python has cleared this module where the process is ending
            PROCESS.dismiss(self.connection)


class _Shared:
    """Takes the place of a threading.local where all threads share one connection."""

    handle: Handle | None = None


def readable(found: bytes) -> str:
    """Return text as the file holds it, with escapes such as ``\\xfc`` for bytes that are not UTF-8.

    Anyone may write such bytes there. sqlite3 itself would raise, and one such name would keep a worker from all jobs.
    People can read escapes, and JSON refuses them, so that no function is called with them.
    """
    return found.decode(errors="backslashreplace")


def _is_open(descriptor: str) -> bool:
    return os.path.exists(f"/proc/self/fd/{descriptor}")  # not that of the list itself


def as_uri(path: str) -> str:
    """Return the URI that opens a file only if it exists: `Database` creates it, with the right mode."""
    if path == MEMORY:
        return "file::memory:"
    # Not Path.as_uri: importing pathlib takes longer than opening the file. Other characters need no escapes here.
    name = os.path.join(os.getcwd(), path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file://{name if os.sep == '/' else '/' + name.replace(os.sep, '/')}?mode=rw"
