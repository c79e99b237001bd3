"""Connections that can be taken back from the code that they are lent to, wherever that code is at the moment.

Each use, the fetch of a row included, holds one lock and asks whether the connection may still be used; who takes it
back does so under that lock. Nothing less is safe. A ROLLBACK from another thread alone would leave the code with a
connection in no transaction, on which its next INSERT commits by itself. And two threads that use one connection at
once, or one that sets its authorizer while the other runs a statement, deadlock between SQLite's mutex and the GIL.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any
from weakref import WeakSet

from gigq.store.engine.connections import readable
from gigq.store.engine.lent import Authorizer, LentConnection, LentCursor

Refusal = Callable[[], BaseException]
"""Makes the error that says why a connection may not be used any more."""

_NO_ROW = object()
_OF_CURSORS = ("execute", "fetchone", "fetchmany", "fetchall", "__next__", "close")
_OF_BLOBS = ("read", "write", "seek", "tell", "close", "__len__", "__getitem__", "__setitem__", "__exit__")
_PASSING = ("commit", "getconfig", "getlimit", "rollback", "serialize")
_LASTING = (
    "create_aggregate", "create_collation", "create_function", "create_window_function", "deserialize",
    "enable_load_extension", "load_extension", "set_authorizer", "set_progress_handler", "set_trace_callback",
    "setconfig", "setlimit",
)  # fmt: skip
"""What these do is still there after the transaction, and so are settings."""
_SETTINGS = ("autocommit", "isolation_level")

_LASTING_SQL = {
    getattr(sqlite3, f"SQLITE_{name}")
    for name in ("CREATE_TEMP_INDEX", "CREATE_TEMP_TABLE", "CREATE_TEMP_TRIGGER", "CREATE_TEMP_VIEW")
}


class RevocableConnection(LentConnection):
    """A connection that its lender can take back, from any thread.

    Attributes:
        lock: held by whoever uses it.
        refusal: why it may not be used; None while it may.
        is_soiled: whether it has, or may have, settings that last longer than the transaction.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.lock = threading.RLock()
        self.refusal: Refusal | None = None
        self.is_soiled = False
        self._process = os.getpid()
        self._readers: WeakSet[Any] = WeakSet()
        super().__init__(*args, **options)

    def __call__(self, sql: str, /) -> Any:
        """Prepare a statement, for whatever cursor: sqlite3 calls this for each that it has not at hand.

        Raises:
            sqlite3.ProgrammingError: the cursor is of another class, which does not hold the lock.
        """
        if (self.is_lent or self.refusal is not None) and not self.is_in_use_here:
            raise sqlite3.ProgrammingError("a cursor of sqlite3.Cursor(db) cannot be used here; use db.cursor()")
        return super().__call__(sql)

    @property
    def is_in_use_here(self) -> bool:
        """Whether this thread holds the lock."""
        return bool(self.lock._is_owned())  # type: ignore[attr-defined]

    def lend(self) -> None:
        super().lend()
        self.is_soiled = False

    def regain(self) -> None:
        """Make it the lender's own again, as it was before it was lent. Hold the lock."""
        self.close_readers()
        self.is_lent, self.refusal, self.row_factory, self.text_factory = False, None, None, readable
        if self.is_soiled:
            self.unlend()
            self.is_soiled = True  # for the rest

    def close_readers(self) -> None:
        """Close what is being read. It would keep an interrupt alive, and then a ROLLBACK would be interrupted too."""
        for each in list(self._readers):
            with suppress(sqlite3.ProgrammingError):  # it waits for the next row to write, and reads nothing
                (sqlite3.Cursor if isinstance(each, sqlite3.Cursor) else sqlite3.Blob).close(each)

    def roll_back_for_good(self) -> None:
        """Roll back, so that nothing more can be written, by whatever means. Hold the lock.

        It is not closed: the code may use a cursor of `sqlite3.Cursor` itself, without the lock, and Python crashes if
        another thread closes its connection at that moment.
        """
        self.close_readers()
        self.is_lent = False
        plain = sqlite3.Cursor(self)  # as those of this class are refused
        plain.execute("PRAGMA query_only = ON")  # first, or what such a cursor writes next would commit by itself
        if self.in_transaction:
            plain.execute("ROLLBACK")

    def drop(self) -> None:
        """Roll back, and close it. Hold the lock, in the thread that has used it."""
        try:
            self.roll_back_for_good()
        except sqlite3.OperationalError:  # interrupted, because of cursors that are not of our class
            for each in gc.get_objects():
                if type(each) is sqlite3.Cursor and each.connection is self:
                    each.close()
            with suppress(sqlite3.Error):  # to close it rolls back too
                self.roll_back_for_good()
        except sqlite3.ProgrammingError:  # closed for a fork, after it was taken back
            pass
        self.close()

    def check_usable(self) -> None:
        """Refuse to go on if it may not be used. Hold the lock.

        Raises:
            BaseException: what its lender has chosen.
        """
        if self.refusal is not None:
            raise self.refusal()
        if self._process != os.getpid():
            raise sqlite3.ProgrammingError("this process was forked inside the transaction, which is its parent's")

    def cursor(self, factory: Any = None) -> Any:
        kind = RevocableCursor if factory is None else _revocable(factory)
        with self.lock:
            self.check_usable()
            cursor = super().cursor(kind)
            self._readers.add(cursor)
            return cursor

    def blobopen(self, *args: Any, **options: Any) -> Any:
        with self.lock:
            self.check_usable()
            blob = super().blobopen(*args, **options)
            self._readers.add(blob)
            return _Blob(self, blob)

    def set_authorizer(self, authorizer_callback: Authorizer | None) -> None:
        theirs = authorizer_callback

        def note(action: int, *details: str | None) -> int:
            if action in _LASTING_SQL or (action == sqlite3.SQLITE_PRAGMA and details[1] is not None):
                self.is_soiled = True
            return theirs(action, *details) if theirs and self.is_lent else sqlite3.SQLITE_OK

        super().set_authorizer(note)


class RevocableCursor(LentCursor):
    """A cursor of such a connection."""

    _executemany: Callable[..., Any]

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        connection: Any = self.connection
        is_quick = isinstance(parameters, list | tuple) or connection.is_in_use_here
        return self._executemany(sql, parameters if is_quick else self._released(parameters))

    def _released(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Let the connection be taken back while code of the user's makes the next row, which may take long."""
        connection: Any = self.connection
        each = iter(rows)
        while True:
            try:
                connection.lock.release()
                row = next(each, _NO_ROW)
            finally:
                if not connection.is_in_use_here:
                    connection.lock.acquire()
            connection.check_usable()
            if row is _NO_ROW:
                return
            yield row


class _Blob:
    """A blob of such a connection; sqlite3 lets nobody make a subclass."""

    def __init__(self, connection: RevocableConnection, blob: sqlite3.Blob) -> None:
        self.connection = connection
        self.blob = blob

    def __enter__(self) -> _Blob:
        return self


@cache
def _revocable(kind: Any) -> type[sqlite3.Cursor]:
    """Return a class of cursors of a user's, guarded as ours."""
    if not (isinstance(kind, type) and issubclass(kind, sqlite3.Cursor)):
        raise TypeError(f"the factory of a cursor is {kind!r:.80}; here it must be a subclass of sqlite3.Cursor")
    return kind if issubclass(kind, RevocableCursor) else type(kind.__name__, (RevocableCursor, kind), {})


def _guarded(use: Callable[..., Any], *, soils: bool = False, owner: str = "connection") -> Callable[..., Any]:
    """Return a method that holds the lock, and refuses what it must.

    Args:
        use: what it does otherwise.
        soils: whether what it does lasts longer than the transaction.
        owner: the attribute that is the connection.
    """

    def guarded(self: Any, *args: Any, **options: Any) -> Any:
        connection: RevocableConnection = getattr(self, owner) if owner else self
        with connection.lock:
            connection.check_usable()
            try:
                connection.is_soiled |= soils
                return use(self, *args, **options)
            except sqlite3.Error as error:
                if connection.refusal is not None:  # it was interrupted, to be taken back
                    raise connection.refusal() from error
                raise

    return guarded


def _of_next_class(name: str) -> Callable[..., Any]:
    """Return a method of the class behind ours, which may be a user's."""
    return lambda self, *args, **options: getattr(super(RevocableCursor, self), name)(*args, **options)


def _of_blob(name: str) -> Callable[..., Any]:
    return lambda self, *args: getattr(sqlite3.Blob, name)(self.blob, *args)


def _of_setting(setting: Any) -> property:
    return property(setting.__get__, _guarded(setting.__set__, soils=True, owner=""))


RevocableCursor._executemany = _guarded(_of_next_class("executemany"))
for _name in _OF_CURSORS:
    setattr(RevocableCursor, _name, _guarded(_of_next_class(_name)))
for _name in _OF_BLOBS:
    setattr(_Blob, _name, _guarded(_of_blob(_name)))
for _name in (*_LASTING, *_PASSING):  # of which not every Python has all, nor every SQLite
    if _method := getattr(RevocableConnection, _name, None):
        setattr(RevocableConnection, _name, _guarded(_method, soils=_name in _LASTING, owner=""))
for _name in _SETTINGS:
    if _setting := getattr(sqlite3.Connection, _name, None):
        setattr(RevocableConnection, _name, _of_setting(_setting))
