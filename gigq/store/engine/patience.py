"""Waiting for the write lock, and for readers where a commit has to: statements tried again while the file is busy."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

from gigq.clock import attempts, in_seconds
from gigq.errors import QueueBusy
from gigq.store.engine.sqlite_errors import primary_code

Connect = Callable[[], sqlite3.Connection]


class Patience(NamedTuple):
    """How long to wait for a busy file, and how often to try.

    Attributes:
        path: the file, for messages.
        timeout: seconds until `QueueBusy`.
        longest_pause: seconds between two attempts.
    """

    path: str
    timeout: float
    longest_pause: float

    def insist(self, connect: Connect, first: str, second: str) -> tuple[sqlite3.Connection, Any]:
        """Run two statements on a connection, again for as long as the file is locked.

        Args:
            connect: opens or finds the connection; the file may be locked for that too.
            first: begins a transaction, which is rolled back before the next attempt.
            second: its first column is the answer.

        Returns:
            The connection, and the answer.
        """
        if (answer := tried(connect, first, second)) is not None:
            return answer
        pauses = attempts(self.timeout, longest_pause=self.longest_pause)
        next(pauses)  # the first attempt, without a pause, was that
        for _ in pauses:
            if (answer := tried(connect, first, second)) is not None:
                return answer
        raise QueueBusy(f"{self.path!r} was locked by another writer for {in_seconds(self.timeout)}")

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commit, in a file that is not in WAL mode once nobody reads it; no new reader begins in the meantime."""
        try:
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._commit_after_readers(connection, error)

    def _commit_after_readers(self, connection: sqlite3.Connection, error: sqlite3.OperationalError) -> None:
        for _ in attempts(self.timeout, longest_pause=self.longest_pause):
            if primary_code(error) != sqlite3.SQLITE_BUSY:
                raise error
            try:
                connection.execute("COMMIT")
                return
            except sqlite3.OperationalError as again:
                error = again
        raise QueueBusy(
            f"{self.path!r} could not be written, because others were reading it for {in_seconds(self.timeout)} and "
            "it is not in WAL mode; end what reads it, and gigq switches it back"
        )


def tried(connect: Connect, first: str, second: str) -> tuple[sqlite3.Connection, Any] | None:
    """Run the two statements, or return None because the file is locked."""
    connection = None
    try:
        connection = connect()
        connection.execute(first)
        return connection, connection.execute(second).fetchone()[0]
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_BUSY:
            raise
        if connection is not None and connection.in_transaction:
            connection.execute("ROLLBACK")
    return None
