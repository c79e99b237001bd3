"""Connections as applications make them: the settings that they may have, and how their transactions begin."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

NOTE = "INSERT INTO notes (text) VALUES (?)"
"""What an application writes in the same transaction as a job."""

Opener = Callable[[str], sqlite3.Connection]


class Subclass(sqlite3.Connection):
    """A connection whose own methods do something else than those of sqlite3."""

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(ShoutingCursor)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("notes", "NOTES"), *values)


class ShoutingCursor(sqlite3.Cursor):
    """A cursor whose rows are upper case."""

    def fetchone(self) -> Any:
        row = super().fetchone()
        return row and tuple(each.upper() if isinstance(each, str) else each for each in row)


def connect(**options: Any) -> Opener:
    return lambda path: sqlite3.connect(path, **options)


def with_pragma(pragma: str) -> Opener:
    def opened(path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection

    return opened


def with_factories(row: Any = None, text: Any = str) -> Opener:
    def opened(path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path)
        connection.row_factory, connection.text_factory = row, text
        return connection

    return opened


def as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def first_column(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Any:
    return row[0]


def by_symlink(path: str) -> sqlite3.Connection:
    os.symlink(path, link := f"{path}-link")
    return sqlite3.connect(link)


KINDS: dict[str, Opener] = {
    "usual": connect(),
    "no isolation level": connect(isolation_level=None),
    "DEFERRED": connect(isolation_level="DEFERRED"),
    "IMMEDIATE": connect(isolation_level="IMMEDIATE"),
    "EXCLUSIVE": connect(isolation_level="EXCLUSIVE"),
    "no wait for the lock": connect(timeout=0),
    "no statements kept": connect(cached_statements=0),
    "any thread": connect(check_same_thread=False),
    "types by declaration and column": connect(detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES),
    "subclass": connect(factory=Subclass),
    "URI": lambda path: sqlite3.connect(f"file:{path}?mode=rw", uri=True),
    "another path to the file": by_symlink,
    "a relative path": lambda path: sqlite3.connect(os.path.relpath(path)),
    "rows as dicts": with_factories(row=as_dict),
    "rows as their first column": with_factories(row=first_column),
    "sqlite3.Row": with_factories(row=sqlite3.Row),
    "text as bytes": with_factories(text=bytes),
    "text as bytearrays": with_factories(text=bytearray),
    "text in capitals": with_factories(text=lambda found: found.decode().upper()),
    "no foreign keys": with_pragma("foreign_keys = OFF"),
    "foreign keys": with_pragma("foreign_keys = ON"),
    "not synchronous": with_pragma("synchronous = OFF"),
    "recursive triggers": with_pragma("recursive_triggers = ON"),
    "LIKE with case": with_pragma("case_sensitive_like = ON"),
    "queries in reverse": with_pragma("reverse_unordered_selects = ON"),
    "a rollback journal": with_pragma("journal_mode = DELETE"),
    "a journal in memory": with_pragma("journal_mode = MEMORY"),
}

if sys.version_info >= (3, 12):
    KINDS |= {
        "autocommit=False": connect(autocommit=False),
        "autocommit=True": connect(autocommit=True),
    }

BEGINNINGS = {
    "write": (),
    "BEGIN": ("BEGIN",),
    "BEGIN IMMEDIATE": ("BEGIN IMMEDIATE",),
    "BEGIN EXCLUSIVE": ("BEGIN EXCLUSIVE",),
    "SAVEPOINT": ("SAVEPOINT mine",),
}


def autocommits(connection: sqlite3.Connection) -> bool:
    """Whether sqlite3 begins no transaction, as of Python 3.12; its `commit` does nothing then."""
    return getattr(connection, "autocommit", None) is True


def end(connection: sqlite3.Connection, how: str) -> None:
    """Commit or roll back as an application does."""
    if autocommits(connection):
        connection.execute(how)
    else:
        getattr(connection, how)()


@contextmanager
def begun(connection: sqlite3.Connection, beginning: str) -> Iterator[sqlite3.Connection]:
    """Write a note in a transaction that begins in this way, or leave it to sqlite3 to begin one with the note."""
    if not connection.in_transaction:
        for sql in BEGINNINGS[beginning]:
            connection.execute(sql)
        if not connection.in_transaction and (connection.isolation_level is None or autocommits(connection)):
            connection.execute("BEGIN")
    connection.execute(NOTE, ("written",))
    with closing(connection):
        yield connection
