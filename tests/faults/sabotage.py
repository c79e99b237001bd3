"""Connections whose n-th statement fails, or is the last one of its process."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from gigq.store.engine.lent import LentConnection

GONE = 9
"""The exit code of a process that ended in the middle of a statement."""

_connect = sqlite3.connect
_plain_cursor = sqlite3.Cursor


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a statement ends.

    Attributes:
        code: of SQLite; none for Ctrl-C.
        ends_transaction: SQLite has rolled back itself, as it may after such an error.
        spoils_rollback: the next ROLLBACK ends so as well.
    """

    code: int | None
    message: str
    ends_transaction: bool = False
    spoils_rollback: bool = False

    def strike(self, connection: sqlite3.Connection | None) -> None:
        if self.code is None:
            raise KeyboardInterrupt
        if self.ends_transaction and connection is not None and connection.in_transaction:
            if isinstance(connection, LentConnection) and connection.is_lent:
                connection.abandon()
            else:
                sqlite3.Connection.execute(connection, "ROLLBACK")
        error = sqlite3.OperationalError(self.message)
        error.sqlite_errorcode = self.code
        try:
            raise error
        finally:
            del error  # or this frame would keep itself, and with it the cursors of those that it came through


FAULTS = {
    "locked": Fault(code=sqlite3.SQLITE_BUSY, message="database is locked"),
    "disk full": Fault(code=sqlite3.SQLITE_FULL, message="database or disk is full", ends_transaction=True),
    "I/O error": Fault(code=sqlite3.SQLITE_IOERR_WRITE, message="disk I/O error", spoils_rollback=True),
}

UNREADABLE = Fault(code=sqlite3.SQLITE_IOERR_READ, message="disk I/O error")
CTRL_C = Fault(code=None, message="Ctrl-C", spoils_rollback=True)


class Saboteur:
    """Counts the statements of all connections that are opened while it is `present`, and spoils one of them.

    Attributes:
        statements: those since it was told what to do; also each opening of a file is one.
        answers: how often rows were asked for since then.
        struck: whether one of them was spoilt.
    """

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.answers = 0
        self.struck = False
        self._is_at_answer = False
        self._at: int | None = None
        self._fault: Fault | None = None
        self._spoils_rollback = False
        self._after_commit: Callable[[], None] = lambda: None

    @contextmanager
    def present(self) -> Iterator[Saboteur]:
        """Stand between the store and SQLite while the block runs."""
        sqlite3.connect = self._open  # type: ignore[assignment]
        sqlite3.Cursor = _PlainCursor  # type: ignore[misc]
        try:
            yield self
        finally:
            sqlite3.connect = _connect
            sqlite3.Cursor = _plain_cursor  # type: ignore[misc]

    def spoil(self, statement: int, fault: Fault | None) -> None:
        """Let the n-th statement from here on end with a fault, or with None the process right after it."""
        self.statements, self.answers = [], 0
        self.struck, self._at, self._fault, self._is_at_answer = False, statement, fault, False

    def spoil_answer(self, answer: int, fault: Fault) -> None:
        """Let the rows that are asked for the n-th time from here on be such as cannot be had."""
        self.spoil(answer, fault)
        self._is_at_answer = True

    def watch(self, after_commit: Callable[[], None]) -> None:
        """Spoil nothing, and call this after each transaction."""
        self.spoil(0, None)
        self._after_commit = after_commit

    def rest(self) -> None:
        """Spoil nothing any more."""
        self._at, self._spoils_rollback, self._after_commit = None, False, lambda: None

    def before(self, connection: sqlite3.Connection | None, sql: str) -> None:
        if sql == "ROLLBACK":
            if self._spoils_rollback and self._fault:
                self._spoils_rollback = False
                self._fault.strike(connection)
            return
        self.statements.append(sql)
        if not self._is_at_answer and len(self.statements) == self._at:
            self._strike(connection)

    def before_answer(self, connection: sqlite3.Connection) -> None:
        self.answers += 1
        if self._is_at_answer and self.answers == self._at:
            self._strike(connection)

    def _strike(self, connection: sqlite3.Connection | None) -> None:
        if self._fault:
            self.struck, self._spoils_rollback = True, self._fault.spoils_rollback
            self._fault.strike(connection)

    def after(self, sql: str) -> None:
        if not self._is_at_answer and len(self.statements) == self._at and not self._fault:
            os._exit(GONE)
        if sql == "COMMIT":
            self._after_commit()

    def _open(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        self.before(None, "open")
        kind = _sabotaged(options.get("factory", sqlite3.Connection))
        connection: _Sabotaged = _connect(*arguments, **options | {"factory": kind})
        connection.saboteur = self
        self.after("open")
        return connection


class _Sabotaged(sqlite3.Connection):
    saboteur: Saboteur

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.saboteur.before(self, sql)
        cursor = self.cursor(_Cursor).execute(sql, *values)
        self.saboteur.after(sql)
        return cursor

    def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:
        self.saboteur.before(self, sql)
        cursor = super().executemany(sql, values)
        self.saboteur.after(sql)
        return cursor


@cache
def _sabotaged(kind: type[sqlite3.Connection]) -> type[_Sabotaged]:
    """Return this class of connections with a saboteur in front of it."""
    return type(kind.__name__, (_Sabotaged, kind), {})


class _IsAnyCursor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _plain_cursor)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _plain_cursor)


class _PlainCursor(_plain_cursor, metaclass=_IsAnyCursor):
    """Takes the place of `sqlite3.Cursor`, for those that are made of a connection without asking it."""

    def execute(self, sql: str, *values: Any) -> Any:
        saboteur: Saboteur | None = getattr(self.connection, "saboteur", None)
        if saboteur is None:
            return super().execute(sql, *values)
        saboteur.before(self.connection, sql)
        super().execute(sql, *values)
        saboteur.after(sql)
        return self

    def fetchone(self) -> Any:
        self._ask()
        return super().fetchone()

    def fetchall(self) -> list[Any]:
        self._ask()
        return super().fetchall()

    def __iter__(self) -> Any:
        self._ask()
        return self

    def _ask(self) -> None:
        if self.description is not None and isinstance(self.connection, _Sabotaged):
            self.connection.saboteur.before_answer(self.connection)


class _Cursor(sqlite3.Cursor):
    connection: _Sabotaged

    def fetchone(self) -> Any:
        self._ask()
        return super().fetchone()

    def fetchall(self) -> list[Any]:
        self._ask()
        return super().fetchall()

    def __iter__(self) -> _Cursor:
        self._ask()
        return self

    def _ask(self) -> None:
        if self.description is not None:
            self.connection.saboteur.before_answer(self.connection)
