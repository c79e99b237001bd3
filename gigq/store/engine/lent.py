"""Connections that are lent to code of a user's for one transaction, which that code can neither end nor leave."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, NoReturn, Self

_DENIED = (sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
"""Of SQL: BEGIN, COMMIT and ROLLBACK. ATTACH, because a commit of two files is not of one piece in WAL mode."""

_INNER = "gigq_inner"

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


class LentConnection(sqlite3.Connection):
    """A connection with a transaction open that only its lender can end.

    `commit` does nothing, because libraries call it after what they have written. ``with connection:`` is a savepoint.
    Everything else that would end the transaction raises, by whatever route it comes.

    Attributes:
        is_lent: whether that is so now.
    """

    is_lent = False

    def lend(self) -> None:
        """Deny from here on what would end the transaction. Call it in the thread that uses the connection."""
        self.is_lent = True
        self.set_authorizer(None)

    def unlend(self) -> None:
        """Allow everything again, and drop what the code has set that would hinder others."""
        self.is_lent = False
        self.set_authorizer(None)
        self.set_progress_handler(None, 0)
        self.set_trace_callback(None)
        self.execute("PRAGMA query_only = OFF")

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Allow the lender everything while the block runs."""
        self.is_lent = False
        try:
            yield
        finally:
            self.is_lent = True

    def set_authorizer(self, authorizer_callback: Authorizer | None) -> None:
        theirs = authorizer_callback

        def authorize(action: int, *details: str | None) -> int:
            if action in _DENIED and self.is_lent:
                return sqlite3.SQLITE_DENY
            return theirs(action, *details) if theirs else sqlite3.SQLITE_OK

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


class LentCursor(sqlite3.Cursor):
    """A cursor of such a connection, which says why it was denied something."""

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        with _explained(self.connection, sql):
            super().execute(sql, parameters)
        return self

    def executemany(self, sql: str, parameters: Any, /) -> Self:
        with _explained(self.connection, sql):
            super().executemany(sql, parameters)
        return self

    def executescript(self, sql_script: str, /) -> Self:
        """Run a script statement by statement: sqlite3 itself would commit first."""
        for statement in statements(sql_script):
            self.execute(statement)
        return self


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


@contextmanager
def _explained(connection: sqlite3.Connection, sql: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        is_lent = isinstance(connection, LentConnection) and connection.is_lent
        if is_lent and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_AUTH:
            refuse(" ".join(sql.split()))
        raise
