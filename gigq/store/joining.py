"""Transactions on the connections of others, of which jobs become a part: what is asked of one before it is used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from gigq.clock import attempts, in_seconds
from gigq.errors import QueueBusy
from gigq.store.engine import files
from gigq.store.engine.database import Database
from gigq.store.engine.files import MEMORY
from gigq.store.engine.joined import Joined, JoinedTransaction, joined_by, taking_part
from gigq.store.engine.sqlite_errors import explained, primary_code
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import TABLES

Connection = sqlite3.Connection

_PROBES = {
    "TEXT": ("SELECT name FROM main.sqlite_master LIMIT 1", str),
    "INTEGER": ("SELECT version FROM main.job_schema LIMIT 1", int),
    "REAL": ("SELECT retry_delay FROM main.jobs LIMIT 1", float),
}
"""For each type of our columns, a query of one, and what Python makes of it unless somebody has registered a converter.
"""

_MOST_WRAPPERS = 3
"""Around a connection: SQLAlchemy's Connection holds the proxy of its pool, and that holds the driver's connection."""


@contextmanager
def transaction(database: Database, connection: object = None) -> Iterator[Connection]:
    """Have the verbs of a queue in this thread take part in one transaction while the block runs.

    Inside another such block it is a savepoint of that transaction.

    Args:
        connection: whose open transaction that is, or what holds such a connection. None for a transaction of the
            queue's own, which is committed at the end of the block, or rolled back if it raises.

    Raises:
        ValueError: the connection cannot be joined, with the reason.
        RuntimeError: this thread has another transaction open on the file, or the block has ended this one.
        QueueBusy, QueueGone, NotAQueue, StoreError: as `Database.write`.
    """
    if connection is None and joined_by(database) is None:
        with database.own_transaction() as part:
            yield part.connection
        return
    with joining(database, connection) as part, part.block() as lent:
        yield lent


def joined(database: Database, connection: object) -> AbstractContextManager[object]:
    """Return a block in which a verb takes part in the transaction of a connection, if one is given."""
    return _hinting(database) if connection is None else joining(database, connection)


@contextmanager
def joining(database: Database, connection: object) -> Iterator[Joined]:
    """Have the verbs of a queue in this thread take part in a transaction that is open, while the block runs.

    Args:
        connection: on which it is open, or what holds such a connection. None for that of an outer block.

    Raises:
        ValueError, RuntimeError, QueueBusy, QueueGone, NotAQueue, StoreError: as `transaction`.
    """
    database.must_be_writable()
    database.must_be_open()
    given = None if connection is None else unwrapped(connection)
    outer = joined_by(database)
    if outer is not None and (reason := outer.why_not(database, given)):
        raise RuntimeError(reason.format(path=database.path))
    if outer is not None:
        with outer.admitting(database):
            yield outer
    else:
        assert given is not None, "there is an outer block if no connection is given"
        _check(database, given)
        with taking_part(Joined(given, database)) as part:
            yield part


def unwrapped(connection: object) -> Connection:
    """Return the connection of sqlite3 that a caller has given, or that is in what the caller has given.

    Raises:
        ValueError: there is none.
    """
    found = connection
    for _ in range(_MOST_WRAPPERS):
        if isinstance(found, Connection):
            return found
        inner = getattr(found, "dbapi_connection", None)
        found = getattr(found, "connection", None) if inner is None else inner
    if isinstance(found, Connection):
        return found
    raise ValueError(
        f"connection is {connection!r:.80}; it must be a sqlite3.Connection in a transaction, or hold one, as Django's "
        "connection does, and SQLAlchemy's Connection, which a Session returns from its connection()"
    )


@contextmanager
def _hinting(database: Database) -> Iterator[None]:
    try:
        yield
    except QueueBusy as error:
        raise hinted(database, error) from error


def hinted(database: Database, error: QueueBusy) -> QueueBusy:
    """Add what may be the reason why a verb has waited for the lock in vain: the caller's own thread may have it."""
    if database.is_alone:
        return error
    return QueueBusy(f"{error}; if this thread has a transaction open on the file, pass its connection: connection=…")


def _check(database: Database, connection: Connection) -> None:
    """Refuse a connection on which a job could not be stored, or not together with what its caller writes.

    Takes the write lock. With a read first, a transaction that has not read yet could not wait for it any more.
    """
    if not connection.in_transaction:
        raise ValueError(
            "connection has no transaction open, so the job would be committed alone; begin one first, best with BEGIN "
            "IMMEDIATE, or pass none"
        )
    usual, connection.text_factory = connection.text_factory, os.fsdecode
    try:
        _check_file(database, connection)
        _check_names(connection)
        _take_lock(database, connection)
        _check_values(connection)
        database.look_at_joined(_on(connection))
    except sqlite3.ProgrammingError:  # it is closed, or another thread's
        raise
    except sqlite3.Error as error:
        raise explained(error, database.path) from error
    finally:
        connection.text_factory = usual


def _check_file(database: Database, connection: Connection) -> None:
    if database.path == MEMORY:
        raise ValueError("a queue in memory can join no connection; use transaction() without one")
    database.must_exist()
    found = {name: path for _, name, path in sqlite3.Cursor(connection).execute("PRAGMA database_list")}
    if _is(database, found["main"]):
        _check_log(database, found["main"])
        return
    path, attached = database.path, [name for name, path in found.items() if _is(database, path)]
    if attached:
        raise ValueError(
            f"the queue is in {path!r}, which connection has only attached, as {attached[0]!r}, and a crash could keep "
            "the changes in one file without those in the other; connect to the file of the queue"
        )
    main = f"{found['main']!r}" if found["main"] else "a database in memory"
    raise ValueError(f"the queue is in {path!r}, and connection is to {main}; a transaction is of one file")


def _is(database: Database, path: str) -> bool:
    return bool(path) and files.identity(path) == database.identity


def _check_log(database: Database, path: str) -> None:
    """Refuse a hard link: SQLite names the write-ahead log after the file, so there would be two of them."""
    if path == database.file:
        return
    (ours, our_name), (theirs, their_name) = (os.path.split(os.path.realpath(each)) for each in (database.file, path))
    if our_name != their_name or files.identity(ours) != files.identity(theirs):
        raise ValueError(
            f"the queue is in {database.path!r}, which connection has open by the hard link {path!r}, and SQLite would "
            "keep a log of changes for each name; connect to the name of the queue"
        )


def _check_names(connection: Connection) -> None:
    """Refuse temporary tables and views that hide ours."""
    found = sqlite3.Cursor(connection).execute("SELECT name FROM sqlite_temp_master WHERE type IN ('table', 'view')")
    for (name,) in found.fetchall():
        if name.lower() in TABLES:
            raise ValueError(
                f"connection has a temporary table or view {name!r}, which hides the queue's own; drop it first"
            )


def _check_values(connection: Connection) -> None:
    """Refuse a connection that reads other values than the file holds: there is no way around its converters."""
    if sqlite3.converters.keys().isdisjoint(_PROBES):
        return
    for declared, (query, kind) in _PROBES.items():
        row = sqlite3.Cursor(connection).execute(query).fetchone()
        if row is not None and not isinstance(row[0], kind):
            raise ValueError(
                f"connection converts what columns of type {declared} hold; open it without detect_types, or give the "
                "converter a name of its own"
            )


def _take_lock(database: Database, connection: Connection) -> None:
    """Take the write lock for the caller's transaction, without a change.

    Raises:
        QueueBusy: another writer had it for longer than the timeout, or the transaction can never have it.
        NotAQueue: the file has no tables of ours any more.
    """
    timeout, longest_pause = database.patience.timeout, database.patience.longest_pause
    for _ in attempts(timeout, longest_pause=longest_pause):
        try:
            sqlite3.Cursor(connection).execute("UPDATE main.job_schema SET version = version WHERE 0")
            return
        except sqlite3.OperationalError as error:
            _explain(database, connection, error)
    raise QueueBusy(f"{database.path!r} was locked by another writer for {in_seconds(timeout)}")


def _explain(database: Database, connection: Connection, error: sqlite3.OperationalError) -> None:
    """Raise what the error means, or return if the lock may be had later."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY_SNAPSHOT:
        raise QueueBusy(
            f"the transaction of connection has read what others have changed in {database.path!r} since, so it can "
            "write no more; roll it back, and begin it with BEGIN IMMEDIATE"
        ) from error
    if primary_code(error) == sqlite3.SQLITE_BUSY:
        return
    database.on_change(_on(connection), database.path)
    raise error


def _on(connection: Connection) -> Transaction:
    return JoinedTransaction(connection, "", sqlite3.Cursor)
