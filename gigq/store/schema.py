"""How a queue's file is recognised, created or refused."""

from __future__ import annotations

import os

from gigq.clock import Clock
from gigq.errors import NotAQueue
from gigq.store.connections import Durability
from gigq.store.database import Database, Transaction
from gigq.store.tables import INDEXES, TABLES, VIEWS

VERSION = 1


def open_queue(
    path: str | os.PathLike[str], *, initialize: bool, timeout: float, durability: Durability, clock: Clock
) -> Database:
    """Open the queue in a file; with `initialize`, create the file and the tables where they are missing.

    Raises:
        NotAQueue: the file is not ours, is newer than this code, or is missing or empty without `initialize`.
        StoreError: the file cannot be opened.
    """
    database = Database(path, timeout=timeout, durability=durability, create=initialize, clock=clock)
    with database.read() as tx:
        is_ready = _version_of(database, tx) is not None
    if not is_ready and not initialize:
        raise NotAQueue(f"{database.path!r} holds no queue; JobQueue(path) or `gigq submit` creates one")
    if not is_ready:
        database.use_wal()
        with database.write() as tx:
            _create(database, tx)
    return database


def _create(database: Database, tx: Transaction) -> None:
    if _version_of(database, tx) is not None:  # another process was quicker
        return
    for statement in (*TABLES.values(), *INDEXES.values(), *VIEWS.values()):
        tx.execute(statement)
    tx.execute("INSERT INTO job_schema (version) VALUES (?)", (VERSION,))


def _version_of(database: Database, tx: Transaction) -> int | None:
    """Return the version of the tables in the file, or None where it holds none of ours.

    Raises:
        NotAQueue: the tables are another application's, or newer than this code.
    """
    names = {name for (name,) in tx.execute("SELECT name FROM sqlite_master")}
    if "job_schema" not in names:
        _refuse_foreign(database, names)
        return None
    version = tx.value("SELECT max(version) FROM job_schema")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise NotAQueue(
            f"{database.path!r} has the tables of version {version!r}, and this gigq knows versions 1 to {VERSION}; "
            "install the gigq that wrote it"
        )
    return version


def _refuse_foreign(database: Database, names: set[str]) -> None:
    if {"jobs", "job_executions"} <= names:
        raise NotAQueue(
            f"{database.path!r} was written by GigQ 0.5.1 or older, which this gigq cannot read; use a new file"
        )
    taken = sorted(names & {*TABLES, *INDEXES, *VIEWS})
    if taken:
        raise NotAQueue(
            f"{database.path!r} has a table {taken[0]!r} of another application; give the queue a file of its own"
        )
