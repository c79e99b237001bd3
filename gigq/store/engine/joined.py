"""Transactions of this thread, on connections of others, in which the verbs of a queue take part.

Whoever has such a transaction says so with `taking_part`. While that block runs, `Database.read` and `Database.write`
use its connection in this thread: each of them is a savepoint, and commits nothing.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from gigq.errors import StoreError
from gigq.store.engine.bell import Bell
from gigq.store.engine.connections import readable
from gigq.store.engine.searching import add_search
from gigq.store.engine.sqlite_errors import unstorable
from gigq.store.engine.transaction import Transaction, Values

ENDED = "the transaction was committed or rolled back inside the block; do that after the block"

_Told = TypeVar("_Told", StoreError, StoreError | None)

Cursors = Callable[[sqlite3.Connection], sqlite3.Cursor]


class OpenFile(Protocol):
    """What is asked of a `Database` here."""

    bell: Bell

    @property
    def identity(self) -> tuple[int, int] | None:
        """What tells the file from all others; None for a queue in memory."""


class Joined:
    """A transaction that is open on a connection, and in which verbs take part. Belongs to one thread.

    Args:
        connection: has the transaction open. Its settings are its owner's: what ours need is set and put back.
        database: an object that has the same file open.
        is_for_all: every object that has the file open takes part in this thread, and not this one alone.
        cursors: makes the cursors of our statements: with neither the row factory nor the methods of the connection.
        rings: the bell rings after each verb that has news, and not when the owner has committed. A worker that wakes
            then waits for the lock, and gets it when the owner commits.

    Attributes:
        has_news: a verb has stored or taken away something of which workers should hear.
    """

    keeps_out = True  # others can write nothing to the file before it has ended

    def __init__(
        self,
        connection: sqlite3.Connection,
        database: OpenFile,
        *,
        is_for_all: bool = False,
        cursors: Cursors = lambda connection: sqlite3.Cursor(connection),
        rings: bool = True,
    ) -> None:
        self.connection = connection
        self.has_news = False
        self._database = database
        self._members = [database]
        self._is_for_all = is_for_all
        self._cursors = cursors
        self._rings = rings
        self._process = os.getpid()
        self._task = _current_task()

    def concerns(self, database: OpenFile) -> bool:
        """Whether this is a transaction on the file of a database."""
        return self._database is database or (
            database.identity is not None and self._database.identity == database.identity
        )

    def why_not(self, database: OpenFile, connection: sqlite3.Connection | None = None) -> str | None:
        """Say why a database may not take part here and now; None if it may.

        Args:
            connection: the one that its caller has named.
        """
        if self._process != os.getpid():
            return "this process was forked inside a transaction that is open on {path!r}; start it by spawn instead"
        if self._task is not None and self._task is not _current_task():
            return "another task of this thread has a transaction open on {path!r}; do this after it, or in a thread"
        if connection is not None:
            if connection is self.connection:
                return None
            return "this thread has another transaction open on {path!r}, for which this one would wait in vain"
        if not (self._is_for_all or database in self._members):
            return (
                "this thread has a transaction open on {path!r} by another queue object, for which this one would wait "
                "in vain; use that queue object, or pass the connection: connection=…"
            )
        return None

    def told(self, error: _Told) -> _Told:
        """Return the error of a verb, with the addition that the transaction has ended if that is so."""
        if isinstance(error, StoreError) and not self.connection.in_transaction:
            return type(error)(f"{error}; the whole transaction has been rolled back")
        return error

    @contextmanager
    def admitting(self, database: OpenFile) -> Iterator[Joined]:
        """Let one more object that has the file open take part while the block runs."""
        self._members.append(database)
        try:
            yield self
        finally:
            self._members.remove(database)

    @contextmanager
    def block(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection while the block runs; what it has written is rolled back if it raises.

        Raises:
            RuntimeError: the transaction was ended inside the block.
        """
        is_over = False
        self._run("SAVEPOINT gigq_block")
        try:
            yield self.connection
            with _telling_of_the_end():
                self._run("RELEASE gigq_block")
            is_over = True
        finally:
            if not is_over and self._process == os.getpid() and self.connection.in_transaction:
                with suppress(sqlite3.OperationalError):  # it has ended, and another has begun
                    self._run("ROLLBACK TO gigq_block")
                    self._run("RELEASE gigq_block")

    @contextmanager
    def part(self, stamp: Callable[[], str]) -> Iterator[Transaction]:
        """Let one verb take part: it is a savepoint, rolled back if the block raises.

        Raises:
            RuntimeError: the transaction was ended inside its block.
        """
        if not self.connection.in_transaction:
            raise RuntimeError(ENDED)
        usual, self.connection.text_factory = self.connection.text_factory, readable
        try:
            with self._savepoint():
                tx = JoinedTransaction(self.connection, stamp(), self._cursors)
                yield tx
        finally:
            self.connection.text_factory = usual
        self.has_news |= tx.has_news
        if self._rings and tx.has_news:
            self._database.bell.ring()

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        is_over = False
        self._run("SAVEPOINT gigq")
        try:
            yield
            self._run("RELEASE gigq")
            is_over = True
        finally:
            if not is_over and self.connection.in_transaction:  # if not, SQLite has rolled back all of it
                self._undo()

    def _undo(self) -> None:
        """Roll back what a verb has written, or all if that fails, so that nobody commits half of it."""
        is_undone = False
        try:
            self._run("ROLLBACK TO gigq")
            self._run("RELEASE gigq")
            is_undone = True
        finally:
            if not is_undone and self.connection.in_transaction:
                self._abandon()

    def _abandon(self) -> None:
        from gigq.store.engine.lent import LentConnection  # only here: it hardly ever comes to this

        if isinstance(self.connection, LentConnection):
            self.connection.abandon()
        else:
            sqlite3.Connection.rollback(self.connection)

    def _run(self, sql: str) -> None:
        self._cursors(self.connection).execute(sql)


class Spent(Joined):
    """What stands for the last act of a job between its block and its commit: whoever would write is refused.

    Args:
        database: has the file open.
        is_open: says whether the transaction still has the lock.
    """

    def __init__(self, database: OpenFile, is_open: Callable[[], bool]) -> None:
        self._database = database
        self._is_open = is_open

    @property
    def connection(self) -> sqlite3.Connection:  # type: ignore[override]
        raise RuntimeError("nothing takes part in what is spent")

    def concerns(self, database: OpenFile) -> bool:
        return self._is_open() and super().concerns(database)

    def why_not(self, database: OpenFile, connection: sqlite3.Connection | None = None) -> str | None:
        return (
            "the transaction of this thread's job on {path!r} is its last act, and is committed when its function "
            "returns; do this inside its block"
        )


class JoinedTransaction(Transaction):
    """What a verb may do on a connection that is not ours."""

    __slots__ = ("_cursors",)

    def __init__(self, connection: sqlite3.Connection, stamp: str, cursors: Cursors) -> None:
        super().__init__(connection, stamp)
        self._cursors = cursors

    @property
    def has_foreign_keys(self) -> bool:  # type: ignore[override]
        return bool(self.value("PRAGMA foreign_keys"))

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        try:
            return self._cursors(self.connection).execute(sql, values)  # type: ignore[arg-type]
        except (UnicodeEncodeError, OverflowError) as error:
            raise unstorable(error) from None
        except sqlite3.OperationalError as error:
            if "no such function: gigq_" not in str(error):
                raise
        add_search(self.connection)  # not before: few transactions search
        return self.execute(sql, values)

    def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:
        try:
            return self._cursors(self.connection).executemany(sql, values)
        except (UnicodeEncodeError, OverflowError) as error:
            raise unstorable(error) from None


@contextmanager
def _telling_of_the_end() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "no such savepoint" in str(error):
            raise RuntimeError(ENDED) from error
        raise


class _Mine(threading.local):
    """The transactions of this thread, the innermost last."""

    def __init__(self) -> None:
        self.joined = list[Joined]()


ALL: set[Joined] = set()
"""The transactions of all threads, so that who has none pays for one look at this."""

_MINE = _Mine()


@contextmanager
def taking_part(joined: Joined) -> Iterator[Joined]:
    """Let verbs take part in a transaction while the block runs, in this thread."""
    mine = _MINE.joined  # of this thread, wherever the block is left
    mine.append(joined)
    ALL.add(joined)
    try:
        yield joined
    finally:
        ALL.discard(joined)
        mine.remove(joined)


def joined_by(database: OpenFile) -> Joined | None:
    """Return the transaction of this thread on the file of a database, if there is one."""
    return next((each for each in reversed(_MINE.joined) if each.concerns(database)), None)


def _current_task() -> object:
    """Return the task of asyncio that runs in this thread, for several may share it."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs here
        return None
