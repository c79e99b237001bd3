"""Open the file of a queue: recognise its version, have it created or upgraded, or refuse it."""

from __future__ import annotations

import os

from gigq.clock import Clock
from gigq.errors import NotAQueue
from gigq.store.engine.connections import Durability
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import VERSION

# `creating` and `migrations` are imported where they are needed: few files need them, and they load much.


def open_queue(
    path: str | os.PathLike[str],
    *,
    initialize: bool,
    timeout: float,
    durability: Durability,
    clock: Clock,
    longest_pause: float = 0.001,
    read_only: bool = False,
) -> Database:
    """Open the queue in a file; with `initialize`, create the file and the tables where they are missing.

    With `read_only` nothing is created, upgraded or written, whatever `initialize` says.

    With `initialize`, a file of an older version of this code, or of the GigQ package 0.5.1, is upgraded, in one
    transaction. It cannot be undone.

    Raises:
        NotAQueue: the file is not ours or is newer than this code; or, without `initialize`, it is missing, empty or
            older.
        QueueBusy: another writer had the file for longer than `timeout`.
        StoreError: the file cannot be opened.
    """
    initialize = initialize and not read_only
    database = _kind(read_only=read_only)(
        path,
        timeout=timeout,
        durability=durability,
        create=initialize,
        clock=clock,
        longest_pause=longest_pause,
        on_change=_refuse_changed,
    )
    with database.read() as tx:
        version = _version_of(tx, database.path)
        remedy = None if version == VERSION else _remedy(tx, database.path, version)
        is_in_wal = tx.value("PRAGMA journal_mode") == "wal"
    if remedy is not None and not initialize:
        raise NotAQueue(remedy)
    if not read_only:
        database.use_wal(is_used=is_in_wal)  # before the tables, because a file with tables takes no auto_vacuum
    if remedy is not None:
        _bring_up_to_date(database)
    return database


def reopened(path: str, *, durability: Durability, clock: Clock) -> Database:
    """Return the file of a queue that another process has open. It is not opened before the first transaction.

    Raises:
        NotAQueue: there is no such file any more. If it is no longer a queue, the first transaction raises that.
    """
    database = Database(path, timeout=30.0, durability=durability, create=False, clock=clock, on_change=_refuse_changed)
    database.distrust()
    return database


def _kind(*, read_only: bool) -> type[Database]:
    if not read_only:
        return Database
    from gigq.store.engine.read_only import ReadOnlyDatabase

    return ReadOnlyDatabase


def _remedy(tx: Transaction, path: str, version: int | None) -> str:
    """Say what a caller can do who may not create or upgrade the file."""
    from gigq.store.creating import is_legacy

    writer = f"an older gigq, with tables of version {version}"
    if version is None:
        if not is_legacy(tx):
            return f"{path!r} holds no queue; the first submit creates one"
        writer = "GigQ 0.5.1"
    return (
        f"{path!r} was written by {writer}; "
        "stop the programs that still use it, then start a worker or submit a job, which upgrades it"
    )


def _bring_up_to_date(database: Database) -> None:
    from gigq.store.creating import create
    from gigq.store.migrations import migrate

    upgrade = None
    with database.write() as tx:
        version = _version_of(tx, database.path)
        if version is None:
            copy = create(tx, database.path)
            upgrade = copy and f"from GigQ 0.5.1; the old file is kept as {copy!r}"
        elif version < VERSION:  # if not, another process was quicker
            migrate(tx, version, path=database.path)
            upgrade = f"from its version {version} to {VERSION}"
    if upgrade:
        from gigq.logs import logger  # only here: importing logging takes longer than opening the file

        logger("store").warning("%r was upgraded %s", database.path, upgrade)


def _version_of(tx: Transaction, path: str) -> int | None:
    """Return the version of the tables in the file, or None where it holds none of ours.

    Raises:
        NotAQueue: the tables are another application's, those of an older package that cannot be upgraded, or newer
            than this code.
    """
    if tx.value("SELECT 1 FROM sqlite_master WHERE name = 'job_schema'") is None:
        from gigq.store.creating import refuse_unfit

        refuse_unfit(tx, path)
        return None
    version = tx.value("SELECT max(version) FROM job_schema")
    if version is None:
        raise NotAQueue(f"{path!r} has lost the row of job_schema that says which tables it has; restore a backup")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise NotAQueue(
            f"{path!r} has the tables of version {version!r}, and this gigq knows versions 1 to {VERSION}; "
            "install the gigq that wrote it"
        )
    return version


def _refuse_changed(tx: Transaction, path: str) -> None:
    """Refuse a file that was upgraded by a newer gigq, taken apart, or replaced by an older one while it was open.

    Other applications may add tables, indexes and views of their own; the version is only read when they have.
    """
    try:
        version = _version_of(tx, path)
    except NotAQueue as error:
        raise NotAQueue(f"{error}; it was changed while it was open") from error
    if version is None:
        raise NotAQueue(f"{path!r} lost its tables while it was open; restore a backup")
    if version < VERSION:
        raise NotAQueue(f"{path!r} was replaced by a queue of version {version} while it was open; open it again")
