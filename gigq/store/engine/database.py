"""One SQLite file: made, opened, waited for while it is locked, and missed when it is gone."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import get_ident
from typing import Any

from gigq.clock import Clock, attempts, stamper
from gigq.errors import GigqError, NotAQueue, QueueBusy, QueueGone, StoreError
from gigq.store.engine.bell import bell_of
from gigq.store.engine.connections import ConnectionPool, Durability
from gigq.store.engine.forking import PROCESS
from gigq.store.engine.mounts import warn_of_network
from gigq.store.engine.sqlite_errors import UnstorableValue, explained, primary_code
from gigq.store.engine.transaction import Session, Transaction

MEMORY = ":memory:"

_LARGE_LOG = 5 << 20
"""Bytes; without readers that hold it up SQLite starts it over at 4 MB."""


_MISREAD = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
"""What reading raises where somebody has put into the file what gigq does not write."""


class Database:
    """One SQLite file. Safe to share between threads: each has its own connection.

    Args:
        path: a path, a ``sqlite:///`` URL, or ``":memory:"``.
        timeout: seconds to wait for the write lock.
        durability: ``"full"`` survives power loss; ``"normal"`` may lose the last commits to one, never the file.
        create: make the file where there is none.
        clock: the source of the time of transactions.
        longest_pause: seconds between two attempts to get the lock while another writer has it.
        on_change: called in a transaction that finds the tables of the file changed since the last one of this object;
            what it raises ends the transaction before that has read or written anything.

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
        # An absolute path, because the program may change its directory.
        self._file = self.path if self.path == MEMORY else os.path.abspath(self.path)
        self.bell = bell_of(self._file)
        self._longest_pause = longest_pause
        self._on_change = on_change
        self._timeout = timeout
        self._stamp = stamper(clock)
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

    def read(self) -> AbstractContextManager[Transaction]:
        """Open one snapshot of the file; what others commit in the meantime is not in it.

        Raises:
            StoreError: the file could not be read, or somebody has put something into it that cannot be understood.
            QueueGone: the file was deleted or replaced.
        """
        session = Session(self._transaction("BEGIN"), self._meaning_in_read)
        return session if self.path != MEMORY else self._in_turn(session)

    def write(self) -> AbstractContextManager[Transaction]:
        """Take the write lock, and commit at the end of the block, or roll back if it raises.

        Raises:
            QueueBusy: another writer had the lock for longer than `timeout`.
            QueueGone: the file was deleted or replaced.
            StoreError: the disk is full, or the file could not be read or written.
        """
        session = Session(self._transaction("BEGIN IMMEDIATE"), self._meaning)
        return session if self.path != MEMORY else self._in_turn(session)

    def use_wal(self) -> None:
        """Switch the file to write-ahead logging, in which readers and the writer do not wait for each other."""
        with PROCESS.passage(), self._turn, self._explaining():
            # Only a file without tables takes auto_vacuum, and the switch to WAL already makes it one that does not.
            # It costs a submit, a claim and a settlement 0 to 1 %; VACUUM instead would lock workers out for seconds.
            self._insist("PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL")

    def cut_log(self) -> None:
        """Start the write-ahead log over if a reader has let it grow; nothing happens while one still needs it.

        SQLite does so by itself only where a checkpoint ends between two writes, and a busy queue may leave no room
        for that for seconds.

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
    def _in_turn(self, session: Session) -> Iterator[Transaction]:
        """On the connection that all threads share, one transaction at a time."""
        with PROCESS.passage(), self._turn, session as tx:
            yield tx

    # One function, because each call in it is another place to which Ctrl-C may come, and takes its time.
    def _transaction(self, begin: str) -> Generator[Transaction, None, None]:
        thread = get_ident()
        before, is_over = PROCESS.inside.get(thread, 0), False
        try:
            PROCESS.enter(thread)
            try:
                # The first read takes the snapshot, and may itself find the file locked while another one recovers it.
                connection, schema = self._insist(begin, "PRAGMA schema_version")
                # The time is read when the lock is held: what is committed later has a later time.
                tx = Transaction(connection, self._stamp())
                if schema != self._schema:
                    self._look_at_tables(tx, schema)
                yield tx
                connection.execute("COMMIT")
                is_over = True
            finally:
                if not is_over:
                    try:
                        self._roll_back()
                    finally:
                        self._pool.discard_unfinished()  # where the ROLLBACK failed, or Ctrl-C came before it
        except sqlite3.Error as error:
            raise self._explained(error) from error
        finally:
            PROCESS.leave(thread, before)
        if tx.has_news and self.path != MEMORY:
            self.bell.ring()

    def _look_at_tables(self, tx: Transaction, schema: int) -> None:
        if self._schema is not None:
            self._on_change(tx, self.path)
        self._schema = schema

    def _meaning(self, error: BaseException) -> StoreError | None:
        """Return an error of SQLite as one of ours."""
        return self._explained(error) if isinstance(error, sqlite3.Error) else None

    def _meaning_in_read(self, error: BaseException) -> StoreError | None:
        """Return an error of SQLite, or of code that could not understand what it has read, as one of ours."""
        if not isinstance(error, _MISREAD) or isinstance(error, GigqError | UnstorableValue):
            return self._meaning(error)
        return StoreError(
            f"{self.path!r} holds what gigq never wrote ({type(error).__name__}: {error!s:.200}); "
            "mend it with a SQLite tool"
        )

    def _insist(self, first: str, second: str) -> tuple[sqlite3.Connection, Any]:
        """Run two statements on this thread's connection, again for as long as the file is locked.

        Returns:
            The connection, and the first column of what the second statement finds.
        """
        if (answer := self._tried(first, second)) is not None:
            return answer
        pauses = attempts(self._timeout, longest_pause=self._longest_pause)
        next(pauses)  # the first attempt, without a pause, was that
        for _ in pauses:
            if (answer := self._tried(first, second)) is not None:
                return answer
        raise QueueBusy(f"{self.path!r} was locked by another writer for {self._timeout:g} seconds")

    def _tried(self, first: str, second: str) -> tuple[sqlite3.Connection, Any] | None:
        """Run the two statements, or return None because the file is locked."""
        try:
            connection = self._connection()
            connection.execute(first)
            return connection, connection.execute(second).fetchone()[0]
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY:
                raise
            self._roll_back()
        return None

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
        """Only SQLite may open the file: closing any other descriptor of it drops SQLite's locks in this process."""
        if self.path == MEMORY or os.path.exists(self._file):
            return
        # Made without being opened, and with its mode from the first: -wal and -shm take theirs from it.
        if hasattr(os, "mknod"):
            with suppress(OSError):
                os.mknod(self._file, stat.S_IFREG | 0o600)
        if not os.path.exists(self._file):  # a system where only root may, or a link to a file that does not exist yet
            with self._explaining():
                sqlite3.connect(self._file, isolation_level=None).close()
                os.chmod(self._file, 0o600)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> StoreError:
        if primary_code(error) == sqlite3.SQLITE_READONLY:
            self._pool.discard()  # it was opened while the file could not be written, and never looks again
        return explained(error, self.path)


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
