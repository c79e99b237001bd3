"""The time that a read may take: SQLite asks while it runs a statement, and stops when the time is over."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from gigq import checks
from gigq.clock import Duration, SystemClock, in_seconds, over_after, to_seconds
from gigq.errors import ReadTooLong
from gigq.store.engine.database import Database
from gigq.store.engine.joined import JoinedTransaction
from gigq.store.engine.transaction import Transaction

_STEPS = 4_000
"""Instructions of SQLite between two looks at the clock: a tenth of a millisecond, and no measurable cost."""

_now = SystemClock().monotonic


class Budget:
    """The time that one read may take, from when this is made. Belongs to one thread.

    On a connection of the caller's own, whose progress handler may be in use, the time is looked at only between
    statements.

    Attributes:
        seconds: how long it may take; None for as long as it needs.
    """

    def __init__(self, within: Duration | None = None) -> None:
        self.seconds = checks.optional(within, "within", to_seconds)
        self._until = None if self.seconds is None else _now() + self.seconds
        self._asked = None if self.seconds is None else over_after(self.seconds)

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return self._asked is not None and self._asked()

    @property
    def left(self) -> float | None:
        """The seconds that are left, at least 0; None for no limit."""
        return None if self._until is None else max(0.0, self._until - _now())

    @contextmanager
    def read(self, database: Database) -> Iterator[Transaction]:
        """Open one snapshot of a file, for what cannot answer in part. All of the block has this time.

        Raises:
            ReadTooLong: the time was over.
            StoreError, QueueGone: as for `Database.read`.
        """
        with database.read() as tx, self.stopping(tx):
            yield tx

    @contextmanager
    def stopping(self, tx: Transaction) -> Iterator[None]:
        """Stop the statements of the block when the time is over.

        Raises:
            ReadTooLong: one was stopped. The transaction is still open.
        """
        if self._asked is None or isinstance(tx, JoinedTransaction):
            yield
            return
        try:
            tx.connection.set_progress_handler(self._asked, _STEPS)
            yield
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT or not self.is_over:
                raise
            raise self.exceeded() from None
        finally:  # where an interrupt comes before this, rolling back does it
            tx.connection.set_progress_handler(None, 0)

    def exceeded(self) -> ReadTooLong:
        """Return the error that says that the time is over."""
        assert self.seconds is not None
        return ReadTooLong(
            f"the read took longer than the {in_seconds(self.seconds)} that within= allows, and was stopped; allow "
            "more, or leave within= out"
        )
