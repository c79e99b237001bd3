"""A mark of what a connection sees, by which a program finds out in microseconds whether anything was committed."""

from __future__ import annotations

import sqlite3

from gigq.store.engine.sqlite_errors import primary_code


def mark_of(connection: sqlite3.Connection, *, is_alone: bool) -> object:
    """Return a value that equals an earlier one only if nothing was committed in between.

    Args:
        is_alone: the database has no other connection, and this one may be in use by another thread.
    """
    if is_alone:
        return connection.total_changes
    try:
        version = connection.execute("PRAGMA data_version").fetchone()[0]
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_BUSY:
            raise
        return object()  # nobody can tell: another program recovers the file, or holds it without a log
    # The version is that of what others have committed. This connection may have written, too: in a signal handler.
    return connection, version, connection.total_changes
