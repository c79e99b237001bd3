"""The file as one running job writes it: in transactions of ours, and in those that are lent to its function."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any

from gigq.store.engine.connections import Handle
from gigq.store.engine.database import Database
from gigq.store.engine.forking import PROCESS
from gigq.store.engine.joined import Joined, Spent, joined_by, taking_part
from gigq.store.engine.revocable import Refusal, RevocableConnection
from gigq.store.engine.transaction import Session, Transaction
from gigq.store.engine.watch import Watch

_INTERVAL = 0.002
"""Seconds between two interruptions of a statement that runs while its connection is taken back."""

_WATCH = Watch()  # one thread for all jobs of this process


class JobDatabase(Database):
    """A file through a connection that belongs to one execution of a job, and that its threads take turns to use.

    The connection is opened by the first transaction. While it is lent, the other threads use another one. Not for a
    queue in memory, which has only one.

    Args:
        database: the file of the worker, or of the queue.
    """

    def __init__(self, database: Database) -> None:
        self.__dict__ |= database.__dict__
        self._pool = database._pool.for_one_job(RevocableConnection)
        self._turn = self._own_turn = threading.RLock()

    def lend(self, look: Callable[[Transaction], object], *, seconds: float, refusal: Refusal) -> Loan:
        """Take the write lock, and return the transaction, to be lent to the function of the job.

        Args:
            look: looks first whether it may be; what it raises ends the transaction.
            seconds: after which it is taken back, wherever the function is.
            refusal: makes the error that the function gets then.

        Raises:
            QueueBusy, QueueGone, StoreError: as for `write`.
        """
        with PROCESS.passage(), self._own_turn, self._explaining(), ExitStack() as undo:
            undo.callback(self._drop)
            with self._regained():
                connection, schema = self.patience.insist(self._connection, "BEGIN IMMEDIATE", "PRAGMA schema_version")
                tx = Transaction(connection, self._stamp())
                if schema != self._schema:
                    self._look_at_tables(tx, schema)
                look(tx)
            loan = Loan(self, self._pool.take(), refusal)
            _WATCH.add(loan, seconds)
            undo.pop_all()
        return loan

    def close(self) -> None:
        """Close the connection, if there is one. Waits for no thread but those of the job."""
        with PROCESS.passage(), self._own_turn:
            self._pool.discard()

    def _joined(self, *, writes: bool) -> Session | None:
        """As of `Database`, but for what a job does while its thread has a transaction open by another object."""
        joined = joined_by(self)
        if joined is None or isinstance(joined, Spent) or joined.why_not(self, joined.connection):
            return super()._joined(writes=writes)
        return self._session_in(joined, writes=writes)

    # For the loan.

    def commit(self, connection: RevocableConnection, write: Callable[[Transaction], object]) -> Transaction:
        """Write some more in the transaction that is open on a connection, at this instant, and commit it.

        Raises:
            sqlite3.IntegrityError: what the function has written breaks a rule that is looked at last.
            StoreError: the disk is full, or the file could not be read or written; or an error has ended the
                transaction in its block, which has gone on.
        """
        try:
            connection.must_go_on()
            connection.regain()
            tx = Transaction(connection, self._stamp())
            write(tx)
            self.patience.commit(connection)
            return tx
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def put(self, handle: Handle) -> None:
        """Take back a connection that was lent."""
        with PROCESS.passage(), self._own_turn:
            self._pool.put(handle)

    def _drop(self) -> None:
        connection = self._pool.current()
        if isinstance(connection, RevocableConnection):
            with connection.lock:
                connection.drop()
            self._pool.discard()

    @contextmanager
    def _in_turn(self, session: Session, turn: AbstractContextManager[Any]) -> Iterator[Transaction]:
        with PROCESS.passage(), turn, self._regained(), session as tx:
            yield tx

    @contextmanager
    def _regained(self) -> Iterator[None]:
        """Use the connection although the function may still have it from an earlier loan, and not let it meanwhile."""
        connection = self._pool.current()
        if not isinstance(connection, RevocableConnection) or connection.refusal is None:
            yield
            return
        with connection.lock:
            refusal, connection.refusal = connection.refusal, None
            try:
                yield
            finally:
                connection.refusal = refusal


class Loan:
    """A transaction that is open on a connection, for the function of a job.

    It belongs to the thread that has begun it, but for `take_back` and `hurry`.
    """

    def __init__(self, database: JobDatabase, handle: Handle, refusal: Refusal) -> None:
        assert isinstance(handle.connection, RevocableConnection)
        self._connection = handle.connection
        self._database = database
        self._handle = handle
        self._refusal = refusal
        self._gate = threading.Lock()  # between who ends it and who takes it back: the first one does
        self._is_ending = self._is_taken = self._is_whole = self._has_ended = False
        self._lending = ExitStack()
        self._lending.enter_context(PROCESS.lending(self._connection))

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """Lend it to the block, in which the verbs of all queues on the file take part. Nothing ends with the block.

        Raises:
            BaseException: the refusal, if it was taken back meanwhile.
        """
        connection = self._connection
        with connection.lock, self._gate:
            if not self._is_taken:
                connection.refusal, connection.text_factory = None, str
                connection.lend()
        joined = _Joined(connection, self._database, is_for_all=True, rings=False)
        try:
            with taking_part(joined):
                yield connection
        finally:
            self._withdraw()
            self.has_news = joined.has_news
        if self._is_taken:
            raise self._refusal()

    @property
    def is_open(self) -> bool:
        """Whether it still has the lock."""
        return not (self._is_taken or self._has_ended)

    has_news = False
    """Whether verbs in the block have stored something of which workers should hear."""

    def commit(self, write: Callable[[Transaction], object]) -> None:
        """Write some more, and commit all of it.

        Raises:
            BaseException: the refusal, if it was taken back before; or what `write` raises. Nothing is written then.
        """
        connection = self._connection
        try:
            with connection.lock:
                with self._gate:
                    self._is_ending = not self._is_taken
                if self._is_taken:
                    raise self._refusal()
                tx = self._database.commit(connection, write)
                self._is_whole = True
        finally:
            self.end()
        if tx.has_news or self.has_news:
            self._database.bell.ring()

    def end(self) -> None:
        """Roll back what was not committed. A second time, or after it was taken back, it does nothing."""
        _WATCH.drop(self)
        connection = self._connection
        with connection.lock, self._lending:
            if self._has_ended:
                return
            self._has_ended = True
            if not self._is_whole or connection.is_soiled:
                connection.drop()
                PROCESS.disown(connection)
            else:
                connection.refusal = _is_over
                self._database.put(self._handle)

    def hurry(self) -> None:
        """Have it taken back now, without waiting for that."""
        _WATCH.hurry(self)

    def take_back(self) -> None:
        """Roll it back, wherever the function is, so that its next use of the connection raises the refusal."""
        connection = self._connection
        with self._gate:
            if self._is_ending:
                return
            self._is_taken = True
            connection.refusal = self._refusal
        while not connection.lock.acquire(timeout=_INTERVAL):
            with suppress(sqlite3.ProgrammingError):  # closed just now, by who has it
                connection.interrupt()
        with ExitStack() as last:
            last.callback(connection.lock.release)
            if not self._has_ended:
                with suppress(sqlite3.OperationalError):  # a cursor of another class is half read: its thread does it
                    connection.roll_back_for_good()
                PROCESS.adopt(connection)  # from here on it holds up no fork, and is closed before one
                self._lending.close()

    def _withdraw(self) -> None:
        """Let the function use the connection no longer."""
        connection = self._connection
        with connection.lock, self._gate:
            if not self._is_taken:
                connection.close_readers()
                connection.refusal = _is_over


class _Joined(Joined):
    """The transaction for the verbs of queues: each of them is one use of the connection."""

    def _run(self, sql: str) -> None:
        connection = self.connection
        assert isinstance(connection, RevocableConnection)
        with connection.lock:
            connection.check_usable()
            super()._run(sql)

    @contextmanager
    def part(self, stamp: Callable[[], str]) -> Iterator[Transaction]:
        connection = self.connection
        assert isinstance(connection, RevocableConnection)
        with connection.lock:
            connection.check_usable()
            try:
                with super().part(stamp) as tx:
                    yield tx
            except sqlite3.Error as error:
                if connection.refusal is not None:  # it was interrupted, to be taken back
                    raise connection.refusal() from error
                raise


def _is_over() -> sqlite3.ProgrammingError:
    return sqlite3.ProgrammingError("the transaction is over: its connection can be used inside its block only")
