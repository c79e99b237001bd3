"""Connections whose n-th statement ends badly, and what stands in a file."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gigq.store.tables import TABLES

GONE = 9
"""The exit code of a process that ended in the middle of a statement."""

_connect = sqlite3.connect
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_CREATED = {"sqlite_sequence", *TABLES}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a statement ends.

    Attributes:
        ends_transaction: SQLite has rolled back itself, as it may after such an error.
        spoils_rollback: the next ROLLBACK ends so as well.
    """

    code: int
    message: str
    ends_transaction: bool = False
    spoils_rollback: bool = False

    def strike(self, connection: sqlite3.Connection | None) -> None:
        if self.ends_transaction and connection is not None and connection.in_transaction:
            sqlite3.Connection.execute(connection, "ROLLBACK")
        error = sqlite3.OperationalError(self.message)
        error.sqlite_errorcode = self.code
        raise error


FAULTS = {
    "locked": Fault(code=sqlite3.SQLITE_BUSY, message="database is locked"),
    "disk full": Fault(code=sqlite3.SQLITE_FULL, message="database or disk is full", ends_transaction=True),
    "I/O error": Fault(code=sqlite3.SQLITE_IOERR_WRITE, message="disk I/O error", spoils_rollback=True),
}


class Saboteur:
    """Counts the statements of all connections that are opened while it is `present`, and spoils one of them.

    Attributes:
        statements: how many there were since it was told what to do; also each opening of a file is one.
        struck: whether one of them was spoilt.
    """

    def __init__(self) -> None:
        self.statements = 0
        self.struck = False
        self._at: int | None = None
        self._fault: Fault | None = None
        self._spoils_rollback = False
        self._after_commit: Callable[[], None] = lambda: None

    @contextmanager
    def present(self) -> Iterator[Saboteur]:
        """Stand between the store and SQLite while the block runs."""
        sqlite3.connect = self._open  # type: ignore[assignment]
        try:
            yield self
        finally:
            sqlite3.connect = _connect

    def spoil(self, statement: int, fault: Fault | None) -> None:
        """Let the n-th statement from here on end with a fault, or with None the process right after it."""
        self.statements, self.struck, self._at, self._fault = 0, False, statement, fault

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
        self.statements += 1
        if self.statements == self._at and self._fault:
            self.struck, self._spoils_rollback = True, self._fault.spoils_rollback
            self._fault.strike(connection)

    def after(self, sql: str) -> None:
        if self.statements == self._at and not self._fault:
            os._exit(GONE)
        if sql == "COMMIT":
            self._after_commit()

    def _open(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        self.before(None, "open")
        connection: _Connection = _connect(*arguments, **options, factory=_Connection)
        connection.saboteur = self
        self.after("open")
        return connection


class _Connection(sqlite3.Connection):
    saboteur: Saboteur

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.saboteur.before(self, sql)
        cursor = super().execute(sql, *values)
        self.saboteur.after(sql)
        return cursor

    def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:
        self.saboteur.before(self, sql)
        cursor = super().executemany(sql, values)
        self.saboteur.after(sql)
        return cursor


def content(path: str) -> str:
    """Return all that stands in a file, as text: two files with the same content have the same text.

    Ids that were drawn at random are replaced by numbers in the order in which they appear; of workers, the pid.
    """
    if not Path(path).exists():
        return ""
    known: dict[str, str] = {}
    with closing(_connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        lines = [line for name in sorted(names) if name in _CREATED for line in _lines(connection, name)]
    return _UUID.sub(lambda found: known.setdefault(found[0], f"id {len(known)}"), "\n".join(lines))


def _lines(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    rows = connection.execute(f"SELECT * FROM {table}")  # tables lie in the order of their keys
    names = [column[0] for column in rows.description]
    for row in rows:
        yield f"{table}: " + ", ".join(
            f"{name}={value!r}" for name, value in zip(names, row, strict=True) if name != "pid"
        )
