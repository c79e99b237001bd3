"""How a queue's file is recognised, created or refused."""

from __future__ import annotations

import os

from gigq.clock import Clock
from gigq.errors import NotAQueue
from gigq.store.engine.connections import Durability
from gigq.store.engine.database import Database, Transaction
from gigq.store.tables import INDEXES, TABLES, VIEWS

VERSION = 1


def open_queue(
    path: str | os.PathLike[str],
    *,
    initialize: bool,
    timeout: float,
    durability: Durability,
    clock: Clock,
    longest_pause: float = 0.001,
) -> Database:
    """Open the queue in a file; with `initialize`, create the file and the tables where they are missing.

    A file of the GigQ package 0.5.1 becomes one of ours by that, in one transaction. It cannot be undone.

    Raises:
        NotAQueue: the file is not ours, is newer than this code, or is missing, empty or of the older package without
            `initialize`.
        QueueBusy: someone else wrote into it for longer than `timeout`.
        StoreError: the file cannot be opened.
    """
    database = Database(
        path,
        timeout=timeout,
        durability=durability,
        create=initialize,
        clock=clock,
        longest_pause=longest_pause,
        on_change=_refuse_changed,
    )
    with database.read() as tx:
        is_ready = _version_of(tx, database.path) is not None
        is_legacy = not is_ready and _is_legacy(tx)
    if not is_ready and not initialize:
        raise NotAQueue(_how_to_begin(database.path, is_legacy=is_legacy))
    if not is_ready:
        # Before the tables, for whoever finds them leaves the mode as it is; the older package switches to it too.
        database.use_wal()
        with database.write() as tx:
            _create(tx, database.path)
    return database


def _how_to_begin(path: str, *, is_legacy: bool) -> str:
    if is_legacy:
        return (
            f"{path!r} was written by GigQ 0.5.1; "
            "end what still uses it, then JobQueue(path), `gigq submit` or `gigq worker` upgrades it"
        )
    return f"{path!r} holds no queue; JobQueue(path) or `gigq submit` creates one"


def _create(tx: Transaction, path: str) -> None:
    if _version_of(tx, path) is not None:  # another process was quicker
        return
    from gigq.store.legacy import upgrade

    is_legacy = upgrade.is_legacy(tx)
    if is_legacy:
        upgrade.rename_old_tables(tx)
    for statement in (*TABLES.values(), *INDEXES.values(), *VIEWS.values()):
        tx.execute(statement)
    if is_legacy:
        upgrade.copy_rows(tx)
    tx.execute("INSERT INTO job_schema (version) VALUES (?)", (VERSION,))


def _version_of(tx: Transaction, path: str) -> int | None:
    """Return the version of the tables in the file, or None where it holds none of ours.

    Raises:
        NotAQueue: the tables are another application's, an older package's that cannot be upgraded, or newer than
            this code.
    """
    names = {name for (name,) in tx.execute("SELECT name FROM sqlite_master")}
    if "job_schema" not in names:
        if _is_legacy(tx):
            _refuse_unfit(tx, path)
        else:
            _refuse_foreign(path, names)
        return None
    version = tx.value("SELECT max(version) FROM job_schema")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise NotAQueue(
            f"{path!r} has the tables of version {version!r}, and this gigq knows versions 1 to {VERSION}; "
            "install the gigq that wrote it"
        )
    return version


def _is_legacy(tx: Transaction) -> bool:
    from gigq.store.legacy import upgrade  # only here and in what follows: few files need it, and it loads much

    return upgrade.is_legacy(tx)


def _refuse_changed(tx: Transaction, path: str) -> None:
    """Refuse a file that was upgraded by a newer gigq while it was open, or taken apart.

    Anyone may add tables, indexes and views of their own: what they are is looked at only where they have changed.
    """
    try:
        version = _version_of(tx, path)
    except NotAQueue as error:
        raise NotAQueue(f"{error}; it was changed while it was open") from error
    if version is None:
        raise NotAQueue(f"{path!r} lost its tables while it was open; restore a backup")


def _refuse_unfit(tx: Transaction, path: str) -> None:
    from gigq.store.legacy import upgrade

    reason = upgrade.obstacle(tx)
    if reason:
        raise NotAQueue(
            f"{path!r} looks like a file of GigQ 0.5.1 and cannot be upgraded: {reason}; use a new file"
        )


def _refuse_foreign(path: str, names: set[str]) -> None:
    taken = sorted(names & {*TABLES, *INDEXES, *VIEWS})
    if taken:
        raise NotAQueue(
            f"{path!r} has a table {taken[0]!r} of another application; give the queue a file of its own"
        )
