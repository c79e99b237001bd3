"""The transactions of one SQLite file: read, write, a part of another one, and one to lend."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from threading import get_ident
from typing import Any

from gigq.clock import Clock, stamper
from gigq.errors import StoreError
from gigq.store.engine import marks
from gigq.store.engine.connections import Durability
from gigq.store.engine.files import MEMORY
from gigq.store.engine.forking import PROCESS
from gigq.store.engine.joined import ALL, Joined, joined_by, taking_part
from gigq.store.engine.opened_file import OpenedFile
from gigq.store.engine.sqlite_errors import misread
from gigq.store.engine.transaction import Session, Transaction


class Database(OpenedFile):
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
        super().__init__(
            path, timeout=timeout, durability=durability, create=create, longest_pause=longest_pause
        )
        self.on_change = on_change
        self._stamp = stamper(clock)
        self._schema: int | None = None  # of the tables as they were last found; None before the first look
        self._turn: AbstractContextManager[Any] | None = threading.RLock() if self.path == MEMORY else None

    def distrust(self) -> None:
        """Have the next transaction look at the tables, as if they had changed."""
        self._schema = -1

    def read(self) -> AbstractContextManager[Transaction]:
        """Open one snapshot of the file; what others commit in the meantime is not in it.

        Raises:
            StoreError: the file could not be read, or somebody has put something into it that cannot be understood.
            QueueGone: the file was deleted or replaced.
        """
        if ALL and (joined := self._joined(writes=False)):
            return joined
        session = Session(self._transaction("BEGIN"), self._meaning_in_read)
        return session if self._turn is None else self._in_turn(session, self._turn)

    def write(self) -> AbstractContextManager[Transaction]:
        """Take the write lock, and commit at the end of the block, or roll back if it raises.

        Raises:
            QueueBusy: another writer had the lock for longer than `timeout`.
            QueueGone: the file was deleted or replaced.
            StoreError: the disk is full, or the file could not be read or written.
        """
        if ALL and (joined := self._joined(writes=True)):
            return joined
        session = Session(self._transaction("BEGIN IMMEDIATE"), self._meaning)
        return session if self._turn is None else self._in_turn(session, self._turn)

    def mark(self) -> object:
        """Return what equals an earlier mark only if nothing was committed in between; it takes microseconds."""
        thread = get_ident()  # as in `_transaction`: who waits asks a hundred times a second
        before = PROCESS.inside.get(thread, 0)
        try:
            PROCESS.enter(thread)
            return marks.mark_of(self._connection(), is_alone=self._turn is not None)
        except sqlite3.Error as error:
            raise self._explained(error) from error
        finally:
            PROCESS.leave(thread, before)

    def changes(self) -> object:
        """Return a mark like that of `mark`, but one that all threads share, and that commits of this one change.

        Raises:
            QueueGone: the file was deleted or replaced.
            StoreError: it was closed, or cannot be read.
        """
        from gigq.store.engine.changes import Changes  # only here: few programs watch

        found: Changes | None = vars(self).get("_watching")
        if found is None:
            found = vars(self).setdefault("_watching", Changes(self._pool.apart_for_all(), self._must_be_there))
        with self._explaining():
            return found.mark()

    def close(self) -> None:
        """Close the connections of all threads."""
        super().close()
        if "_watching" in vars(self):
            vars(self)["_watching"].close()

    def _must_be_there(self) -> None:
        self.must_be_open()
        self.must_exist()

    def rest(self) -> None:
        """Close this thread's connection, and those of threads that have ended; the next use opens another one."""
        with PROCESS.passage():
            self._pool.discard()

    def _joined(self, *, writes: bool) -> Session | None:
        """Return a part of the transaction that this thread has open on the file; None if there is none to join.

        Who only reads and may not take part sees what is committed, as others do.

        Raises:
            RuntimeError: this thread would wait for a transaction of its own, or may not use it.
        """
        joined = joined_by(self)
        if joined is None:
            return None
        if reason := joined.why_not(self):
            if writes or self.path == MEMORY:
                raise RuntimeError(reason.format(path=self.path))
            return None
        return self._session_in(joined, writes=writes)

    def _session_in(self, joined: Joined, *, writes: bool) -> Session:
        meaning = self._meaning if writes else self._meaning_in_read
        return Session(self._part_of(joined), lambda error: joined.told(meaning(error)))

    def _part_of(self, joined: Joined) -> Generator[Transaction, None, None]:
        self.must_be_open()
        try:
            with joined.part(self._stamp) as tx:
                self.look_at_joined(tx)
                yield tx
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            raise joined.told(self._explained(error)) from error

    def look_at_joined(self, tx: Transaction) -> None:
        """Look at the tables if they have changed, and forget it: the change may be rolled back."""
        if tx.value("PRAGMA schema_version") != self._schema:
            self.on_change(tx, self.path)

    @contextmanager
    def own_transaction(self) -> Iterator[Joined]:
        """Lend a connection of its own, in a transaction like that of `write`, in which this object takes part."""
        from gigq.store.engine import lent

        self.must_be_writable()
        self.must_be_open()
        with self._turn or nullcontext(), ExitStack() as last:
            opened = list[lent.LentConnection]()

            def connect() -> lent.LentConnection:
                if not opened:
                    opened.append(last.enter_context(self._pool.apart()))
                return opened[0]

            with PROCESS.passage(), self._explaining():
                self.must_exist()
                begun = self.patience.insist(connect, "BEGIN IMMEDIATE", "PRAGMA schema_version")
            (connection,) = opened
            with PROCESS.lending(connection), lent.lent(connection, self.patience, self._explaining):
                self._look_at_tables(Transaction(connection, self._stamp()), begun[1])
                with taking_part(Joined(connection, self, rings=False)) as joined:
                    yield joined
        if joined.has_news and self.path != MEMORY:
            self.bell.ring()

    @contextmanager
    def _in_turn(self, session: Session, turn: AbstractContextManager[Any]) -> Iterator[Transaction]:
        """On a connection that threads share, one transaction at a time."""
        with PROCESS.passage(), turn, session as tx:
            yield tx

    # One function, because each call in it is another place to which Ctrl-C may come, and takes its time.
    def _transaction(self, begin: str) -> Generator[Transaction, None, None]:
        thread = get_ident()
        before, is_over = PROCESS.inside.get(thread, 0), False
        try:
            PROCESS.enter(thread)
            try:
                # The first read takes the snapshot, and may itself find the file locked while another one recovers it.
                connection, schema = self.patience.insist(self._connection, begin, "PRAGMA schema_version")
                # The time is read when the lock is held: what is committed later has a later time.
                tx = Transaction(connection, self._stamp())
                if schema != self._schema:
                    self._look_at_tables(tx, schema)
                yield tx
                self.patience.commit(connection)
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
        if self._schema not in (None, schema):
            self.on_change(tx, self.path)
        self._schema = schema

    def _meaning(self, error: BaseException) -> StoreError | None:
        """Return an error of SQLite as one of ours."""
        return self._explained(error) if isinstance(error, sqlite3.Error) else None

    def _meaning_in_read(self, error: BaseException) -> StoreError | None:
        """Return an error of SQLite, or of code that could not understand what it has read, as one of ours."""
        meaning = misread(error, self.path)
        if meaning is None:
            return self._meaning(error)
        # A caller may keep the error, with it a cursor that is still being read, and with that this snapshot.
        self._pool.discard()
        return meaning
