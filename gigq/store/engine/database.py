"""Transactions on one SQLite file: how they begin, wait for the lock, end, and what their errors are called."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from typing import Any

from gigq.clock import Clock, attempts, to_text
from gigq.errors import GigqError, NotAQueue, QueueBusy, QueueGone, StoreError
from gigq.store.engine.bell import Bell
from gigq.store.engine.connections import ConnectionPool, Durability
from gigq.store.engine.forking import PROCESS
from gigq.store.engine.mounts import warn_of_network
from gigq.store.engine.sqlite_errors import UnstorableValue, explained, primary_code, unstorable

MEMORY = ":memory:"

_LARGE_LOG = 5 << 20
"""Bytes; without readers that hold it up SQLite begins it anew at 4 MB."""

Values = Iterable[Any] | Mapping[str, Any]


class Transaction:
    """A transaction that is open on this thread's connection, and the one instant at which it happens.

    Attributes:
        now: the instant, in UTC.
        stamp: `now` as the file holds it: formatted once a transaction, not once a row.
        random: returns a number from 0 to 1, for the jitter of retries.
        has_news: something has been made claimable, or taken away; workers are woken after the commit.
    """

    def __init__(
        self, connection: sqlite3.Connection, now: datetime, random: Callable[[], float] = random.random
    ) -> None:
        self.connection = connection
        self.now = now
        self.stamp = to_text(now)
        self.random = random
        self.has_news = False

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


class Database:
    """One SQLite file. Safe to share between threads: each has its own connection.

    Args:
        path: a path, a ``sqlite:///`` URL, or ``":memory:"``.
        timeout: seconds to wait for the write lock.
        durability: ``"full"`` survives power loss; ``"normal"`` may lose the last commits to one, never the file.
        create: make the file where there is none.
        clock: where transactions have their time from.
        longest_pause: seconds between two tries for the lock, while another writer has it.
        on_change: called in a transaction that finds the tables of the file changed since the last one of this object;
            what it raises ends the transaction before it has read or written anything.

    Raises:
        NotAQueue: there is no such file, and `create` is False.
        StoreError: the file cannot be opened or created.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        timeout: float,
        durability: Durability,
        create: bool,
        clock: Clock,
        longest_pause: float = 0.001,
        on_change: Callable[[Transaction, str], object] = lambda tx, path: None,
    ) -> None:
        self.path = _plain_path(path)
        if durability not in ("full", "normal"):
            raise ValueError(f'durability is {durability!r}; it must be "full" or "normal"')
        self._file = self.path if self.path == MEMORY else os.path.abspath(self.path)  # whoever may change directory
        self.bell = Bell(self._file)
        self._longest_pause = longest_pause
        self._on_change = on_change
        self._timeout = timeout
        self._clock = clock
        self._schema: int | None = None
        self._pool = ConnectionPool(self._file, durability)
        self._turn: AbstractContextManager[Any] = threading.RLock() if self.path == MEMORY else nullcontext()
        if create:
            self._create_file()
        self._identity = self._look()
        if self.path != MEMORY and self._identity is None:
            raise NotAQueue(f"there is no queue at {self.path!r}; JobQueue(path) or `gigq submit` creates one")
        if self._identity is not None:
            warn_of_network(self._file, self._identity[0])

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open one snapshot of the file; what others commit meanwhile is not in it.

        Raises:
            StoreError: the file could not be read, or somebody has put into it what cannot be understood.
            QueueGone: the file was deleted or replaced.
        """
        try:
            with self._transaction("BEGIN") as tx:
                yield tx
        except (GigqError, UnstorableValue):
            raise
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            raise StoreError(
                f"{self.path!r} holds what gigq never wrote ({type(error).__name__}: {error!s:.200}); "
                "mend it with a SQLite tool"
            ) from error

    def write(self) -> AbstractContextManager[Transaction]:
        """Take the write lock, and commit at the end of the block, or roll back if it raises.

        Raises:
            QueueBusy: the lock was not to be had within `timeout`.
            QueueGone: the file was deleted or replaced.
            StoreError: the disk is full, or the file could not be read or written.
        """
        return self._transaction("BEGIN IMMEDIATE")

    def use_wal(self) -> None:
        """Switch the file to write-ahead logging, in which readers and the writer do not wait for each other."""
        with PROCESS.passage(), self._turn, self._explaining():
            # Only a file without tables takes auto_vacuum, and switching to WAL already makes it one that does not.
            # It costs a submit, a claim and a settlement 0 to 1 %; VACUUM instead would lock workers out for seconds.
            self._insist("PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL")

    def cut_log(self) -> None:
        """Begin the write-ahead log anew if a reader has let it grow; nothing happens while one still needs it.

        SQLite does that by itself only where a checkpoint comes to its end between two writes: a busy queue may leave
        no room for it for seconds.

        Raises:
            QueueGone, StoreError: as `write`.
        """
        if self.path == MEMORY or _size(f"{self._file}-wal") < _LARGE_LOG:
            return
        with PROCESS.passage(), self._turn, self._explaining():
            # The first one copies while others write, so that the second, which keeps them out, has little to do.
            for checkpoint in ("PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(TRUNCATE)"):
                self._connection().execute(checkpoint).fetchone()

    def close(self) -> None:
        """Close the connections of all threads."""
        self._pool.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Transaction]:
        with PROCESS.passage(), self._turn, self._explaining():
            try:
                # The first read takes the snapshot, and may itself find the file locked while another one recovers it.
                connection, schema = self._insist(begin, "PRAGMA schema_version")
                # The time is read when the lock is there: what is committed later has a later time.
                tx = Transaction(connection, self._clock.now())
                if schema != self._schema:
                    if self._schema is not None:
                        self._on_change(tx, self.path)
                    self._schema = schema
                yield tx
                connection.execute("COMMIT")
            finally:
                try:
                    self._roll_back()
                finally:
                    self._pool.discard_unfinished()  # where the ROLLBACK failed, or Ctrl-C came before it
        if tx.has_news and self.path != MEMORY:
            self.bell.ring()

    def _insist(self, first: str, second: str) -> tuple[sqlite3.Connection, Any]:
        """Run two statements on this thread's connection, as long as the file is locked again, and return the answer.

        That is the first column of what the second one finds.
        """
        for _ in attempts(self._timeout, longest_pause=self._longest_pause):
            try:
                connection = self._connection()
                connection.execute(first).fetchone()
                return connection, connection.execute(second).fetchone()[0]
            except sqlite3.OperationalError as error:
                if primary_code(error) != sqlite3.SQLITE_BUSY:
                    raise
                self._roll_back()
        raise QueueBusy(f"{self.path!r} was locked by another writer for {self._timeout:g} seconds")

    def _roll_back(self) -> None:
        connection = self._pool.current()
        if connection is not None and connection.in_transaction:
            connection.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        if self.path != MEMORY and self._look() != self._identity:
            raise QueueGone(f"{self.path!r} was deleted or replaced while it was open; open it again with JobQueue(…)")
        return self._pool.connection()

    def _look(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._file)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:  # a folder that may not be entered, links in a circle
            raise StoreError(f"{self.path!r:.300}: {error.strerror}") from error
        return found.st_dev, found.st_ino

    def _create_file(self) -> None:
        """Only SQLite may open the file: to close any other descriptor of it drops SQLite's locks in this process."""
        if self.path == MEMORY or os.path.exists(self._file):
            return
        # Made without being opened, and with its mode from the first: -wal and -shm take theirs from it.
        if hasattr(os, "mknod"):
            with suppress(OSError):
                os.mknod(self._file, stat.S_IFREG | 0o600)
        if not os.path.exists(self._file):  # a system where only root may, or a link to what is not there yet
            with self._explaining():
                sqlite3.connect(self._file, isolation_level=None).close()
                os.chmod(self._file, 0o600)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if primary_code(error) == sqlite3.SQLITE_READONLY:
                self._pool.discard()  # it was opened while the file could not be written, and never looks again
            raise explained(error, self.path) from error


def _size(file: str) -> int:
    try:
        return os.path.getsize(file)
    except OSError:
        return 0


def _plain_path(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if not text or "\0" in text:
        raise ValueError(f"{text!r} is not a path of a file")
    if "://" not in text:
        return text
    from urllib.parse import unquote, urlsplit  # only here: few paths are URLs, and it takes as long as all else

    url = urlsplit(text)
    if url.scheme != "sqlite" or url.netloc or len(url.path) < 2:
        raise ValueError(f"{text!r} is not a path, and not a URL such as sqlite:///jobs.db")
    return unquote(url.path[1:])
