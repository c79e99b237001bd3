"""Connections that are lent to code of a user's for one transaction, which that code can neither end nor leave."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

from gigq.errors import StoreError
from gigq.store.engine.patience import Patience

_DENIED = (sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
"""Of SQL: BEGIN, COMMIT and ROLLBACK. ATTACH, because a commit of two files is not of one piece in WAL mode."""

_INNER = "gigq_inner"
_GONE = "the transaction has been rolled back because of an error inside its block"

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


class LentConnection(sqlite3.Connection):
    """A connection with a transaction open that only its lender can end.

    `commit` does nothing, because libraries call it after what they have written. ``with connection:`` is a savepoint.
    Everything else that would end the transaction raises, by whatever route it comes.

    Attributes:
        is_lent: whether that is so now.
        dropped: what an authorizer has raised since the last statement began, and sqlite3 has dropped.
        has_denied: whether it has denied something since.
    """

    is_lent = has_denied = False
    dropped: BaseException | None = None
    _is_abandoned = False

    def lend(self) -> None:
        """Deny from here on what would end the transaction. Call it in the thread that uses the connection."""
        self.is_lent, self._is_abandoned = True, False
        self.set_authorizer(None)

    def unlend(self) -> None:
        """Allow everything again, and drop what the code has set that would hinder others."""
        self.is_lent = False
        super().set_authorizer(None)
        self.set_progress_handler(None, 0)
        self.set_trace_callback(None)
        self.execute("PRAGMA query_only = OFF")

    def must_go_on(self) -> None:
        """Refuse to commit what an error has ended, although its block has gone on.

        Raises:
            StoreError: SQLite has rolled it back.
        """
        if not self.in_transaction:
            raise StoreError(f"{_GONE}; begin it again")

    def abandon(self) -> None:
        """Roll back although it is lent. Who has it can use it no more."""
        self._is_abandoned = True
        sqlite3.Connection.rollback(self)

    def set_authorizer(self, authorizer_callback: Authorizer | None) -> None:
        theirs = authorizer_callback

        def authorize(action: int, *details: str | None) -> int:
            answer = None
            try:
                is_ours = action in _DENIED and self.is_lent and not self._is_abandoned
                answer = sqlite3.SQLITE_DENY if is_ours else theirs(action, *details) if theirs else sqlite3.SQLITE_OK
            finally:
                if answer is None:
                    self.dropped = sys.exception()
            self.has_denied |= answer != sqlite3.SQLITE_OK
            return answer

        super().set_authorizer(authorize)

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or LentCursor)

    def commit(self) -> None:
        if not self.is_lent:
            super().commit()

    def rollback(self) -> None:
        if self.is_lent:
            refuse("ROLLBACK")
        super().rollback()

    def close(self) -> None:
        if self.is_lent:
            refuse("close()")
        super().close()

    def backup(self, *target: Any, **options: Any) -> NoReturn:
        """Refuse, because SQLite would wait for the end of the transaction."""
        raise sqlite3.OperationalError("backup() waits for the end of a transaction; make the copy after the block")

    # Those of sqlite3 do not ask `cursor` for one.

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor()
        return cursor.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor()
        return cursor.executemany(sql, parameters)

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.cursor()
        return cursor.executescript(sql_script)

    def __enter__(self) -> Self:
        self.execute(f"SAVEPOINT {_INNER}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if kind is not None:
            self.execute(f"ROLLBACK TO {_INNER}")
        self.execute(f"RELEASE {_INNER}")
        return False


@contextmanager
def lent(
    connection: LentConnection, patience: Patience, explaining: Callable[[], AbstractContextManager[None]]
) -> Iterator[None]:
    """Lend the transaction that is open on a connection while the block runs, then commit, or roll back if it raises.

    Raises:
        RuntimeError: the block ends in a process that was forked inside it. The parent goes on with the transaction.
        StoreError: an error has ended the transaction, and the block has gone on.
    """
    process, is_over = os.getpid(), False
    connection.lend()
    try:
        yield
        if process != os.getpid():
            raise RuntimeError("this process was forked inside a transaction, which only its parent can end")
        with explaining():
            connection.unlend()
            connection.must_go_on()
            patience.commit(connection)
        is_over = True
    finally:
        if not is_over and process == os.getpid():
            with suppress(sqlite3.Error):  # it is closed next, which rolls back too
                connection.unlend()
            with suppress(sqlite3.Error):
                connection.rollback()


class LentCursor(sqlite3.Cursor):
    """A cursor of such a connection, which says why it was denied something."""

    connection: LentConnection

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        self._must_be_inside()
        try:
            return super().execute(sql, parameters)
        except sqlite3.DatabaseError as error:
            self._explain(error, sql)
            raise

    def executemany(self, sql: str, parameters: Any, /) -> Self:
        self._must_be_inside()
        try:
            return super().executemany(sql, parameters)
        except sqlite3.DatabaseError as error:
            self._explain(error, sql)
            raise

    def executescript(self, sql_script: str, /) -> Self:
        """Run a script statement by statement: sqlite3 itself would commit first."""
        for statement in statements(sql_script):
            self.execute(statement)
        return self

    def _must_be_inside(self) -> None:
        """Refuse a statement that would be a transaction of its own."""
        self.connection.dropped, self.connection.has_denied = None, False
        if self.connection.is_lent and not self.connection.in_transaction:
            raise sqlite3.DatabaseError(f"{_GONE}; leave the block, and begin again")

    def _explain(self, error: sqlite3.DatabaseError, sql: str) -> None:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_AUTH:
            return
        if self.connection.dropped is not None:
            raise self.connection.dropped
        if not self.connection.has_denied and threading.current_thread() is threading.main_thread():
            # A signal's handler runs at the first step of the authorizer, and sqlite3 drops what it raises there.
            raise KeyboardInterrupt from None
        if self.connection.is_lent:
            refuse(" ".join(sql.split()).rstrip("; "))


def statements(script: str) -> Iterator[str]:
    """Return the statements of a script of SQL."""
    start = end = 0
    while (end := script.find(";", end) + 1) > 0:
        if sqlite3.complete_statement(script[start:end]):
            yield script[start:end]
            start = end
    if script[start:].strip():
        yield script[start:]


def refuse(what: str) -> NoReturn:
    raise sqlite3.DatabaseError(
        f"{what:.80} is not possible here: the end of the block commits, and an exception that leaves it rolls back"
    )
