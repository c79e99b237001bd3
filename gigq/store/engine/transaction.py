"""One transaction: its statements, its instant, and the context manager around it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

from gigq.clock import from_text
from gigq.store.engine.sqlite_errors import unstorable

Values = Iterable[Any] | Mapping[str, Any]


class Transaction:
    """A transaction that is open on this thread's connection, and the one instant at which it happens.

    Attributes:
        stamp: the instant, as the file holds it: formatted once for all rows.
        random: returns a number from 0 to 1, for the jitter of retries.
        has_news: something has become claimable, or was taken away from a worker; workers are woken after the commit.
    """

    has_foreign_keys = True
    """Whether SQLite deletes what belongs to a deleted row."""

    __slots__ = ("_now", "connection", "has_news", "random", "stamp")

    def __init__(self, connection: sqlite3.Connection, stamp: str) -> None:
        self.connection = connection
        self.stamp = stamp
        self.random: Callable[[], float] = _random
        self.has_news = False
        self._now: datetime | None = None

    @property
    def now(self) -> datetime:
        """The instant, in UTC. Few transactions need it as a datetime."""
        if self._now is None:
            self._now = from_text(self.stamp)
        return self._now

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        try:
            return self.connection.execute(sql, values)  # type: ignore[arg-type]
        except (UnicodeEncodeError, OverflowError) as error:
            raise unstorable(error) from None

    def executemany(self, sql: str, values: Iterable[Values]) -> sqlite3.Cursor:
        try:
            return self.connection.executemany(sql, values)  # type: ignore[arg-type]
        except (UnicodeEncodeError, OverflowError) as error:
            raise unstorable(error) from None

    def quickly(self, sql: str, values: Values = ()) -> list[Any]:
        """Return rows with much text in half the time, as long as all of it is UTF-8."""
        usual, self.connection.text_factory = self.connection.text_factory, str
        try:
            return self.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if "Could not decode to UTF-8" not in str(error):
                raise
        finally:
            self.connection.text_factory = usual
        return self.execute(sql, values).fetchall()

    def value(self, sql: str, values: Values = ()) -> Any:
        """Return the first column of the first row, or None where there is no row."""
        row = self.execute(sql, values).fetchone()
        return row and row[0]

    def rows(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """Return rows whose columns can be had by name."""
        cursor = self.execute(sql, values)
        cursor.row_factory = sqlite3.Row
        return cursor.fetchall()


def _random() -> float:
    from random import random  # only here: retries alone need it, and it takes as long to import as five of our modules

    return random()


class Session:
    """A transaction as a context manager, to be used once.

    As ``contextlib.contextmanager`` makes it, but in a third of the time, and `submit` is mostly this. Its steps are a
    generator so that an interrupt between `__enter__` and the block does not leave the transaction open: a generator
    that is dropped comes to its ``finally``.

    Args:
        steps: yields the transaction; commits it when asked for more, and rolls it back when closed.
        meaning: returns the error to raise instead of one of the block's, or None to let that pass.
    """

    __slots__ = ("_meaning", "_steps")

    def __init__(
        self, steps: Generator[Transaction, None, None], meaning: Callable[[BaseException], Exception | None]
    ) -> None:
        self._steps = steps
        self._meaning = meaning

    def __enter__(self) -> Transaction:
        return next(self._steps)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            next(self._steps, None)
            return
        self._steps.close()
        meaning = self._meaning(error)
        if meaning is not None:
            try:
                raise meaning from error
            finally:
                # Or this frame would keep itself, and with it the cursors of the block and the snapshot that they read.
                del meaning, error, traceback
