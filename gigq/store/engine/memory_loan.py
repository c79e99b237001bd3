"""A transaction of a queue in memory that is lent to the function of a job: on the one connection that there is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gigq.errors import StoreError
from gigq.store.engine.database import Database
from gigq.store.engine.joined import Joined, taking_part
from gigq.store.engine.lent import LentConnection
from gigq.store.engine.transaction import Transaction


class MemoryLoan:
    """As `Loan`, but that nobody takes it back: other threads wait until it ends. Belongs to the thread that began it.

    Args:
        look: looks first whether it may be lent.

    Raises:
        RuntimeError: this thread has a transaction open on the queue already.
    """

    def __init__(self, database: Database, look: Callable[[Transaction], object]) -> None:
        self._database = database
        self._session = database.write()
        self._tx = self._session.__enter__()
        self._has_ended = is_ours = False
        try:
            look(self._tx)
            is_ours = True
        finally:
            if not is_ours:
                self.end()

    @property
    def is_open(self) -> bool:
        """As for `Loan`."""
        return not self._has_ended

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """As for `Loan`."""
        connection = self._tx.connection
        assert isinstance(connection, LentConnection)
        usual, connection.text_factory = connection.text_factory, str
        connection.lend()
        try:
            with taking_part(Joined(connection, self._database, rings=False)):
                yield connection
        finally:
            connection.unlend()
            connection.row_factory, connection.text_factory = None, usual

    def commit(self, write: Callable[[Transaction], object]) -> None:
        """As for `Loan`."""
        if self._has_ended:
            raise RuntimeError("the transaction has ended already")
        assert isinstance(self._tx.connection, LentConnection)
        self._tx.connection.must_go_on()
        write(self._tx)
        try:
            self._leave(None)
        except StoreError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):  # the function's, of a rule that is looked at last
                raise error.__cause__ from None
            raise

    def end(self) -> None:
        """As for `Loan`."""
        if not self._has_ended:
            self._leave(_RolledBack())

    def hurry(self) -> None:
        """It is not taken back."""

    def _leave(self, error: Exception | None) -> None:
        self._has_ended = True
        try:
            self._session.__exit__(None if error is None else type(error), error, None)
        finally:
            self._tx.connection.isolation_level = None  # now, because in a transaction that would commit it


class _RolledBack(Exception):
    """Ends a transaction that is to leave nothing behind."""
