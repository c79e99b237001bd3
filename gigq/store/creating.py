"""Create the tables of a new file, or in the place of those of GigQ 0.5.1; refuse a file that is another's."""

from __future__ import annotations

from gigq.errors import NotAQueue
from gigq.store.engine.transaction import Transaction
from gigq.store.indexes import INDEXES
from gigq.store.legacy import upgrade
from gigq.store.legacy.keeping import keep_copy
from gigq.store.tables import TABLES, VERSION
from gigq.store.views import VIEWS

is_legacy = upgrade.is_legacy

_OURS = {*TABLES, *INDEXES, *VIEWS}


def create(tx: Transaction, path: str) -> str | None:
    """Create our tables, and fill them with what a file of the older package holds.

    Returns:
        The path of the copy that is kept of the old file; None for a new one.
    """
    copy = None
    was_legacy = is_legacy(tx)
    if was_legacy:
        copy = keep_copy(path)
        upgrade.rename_old_tables(tx)
    for statement in (*TABLES.values(), *INDEXES.values(), *VIEWS.values()):
        tx.execute(statement)
    if was_legacy:
        upgrade.copy_rows(tx)
    tx.execute("INSERT INTO job_schema (version) VALUES (?)", (VERSION,))
    return copy


def refuse_unfit(tx: Transaction, path: str) -> None:
    """Refuse a file without our tables in which they cannot be created.

    Raises:
        NotAQueue: the file has tables with our names, or those of the older package and cannot be upgraded.
    """
    if is_legacy(tx):
        reason = upgrade.obstacle(tx)
        if reason:
            raise NotAQueue(
                f"{path!r} looks like a file of GigQ 0.5.1 and cannot be upgraded: {reason}; use a new file"
            )
    else:
        # To SQLite two names that differ in case are one.
        found = tx.execute("SELECT type, name FROM sqlite_master ORDER BY type DESC, name").fetchall()
        taken = [f"{kind} {name!r}" for kind, name in found if name.lower() in _OURS]
        if taken:
            raise NotAQueue(f"{path!r} has a {taken[0]} of another application; give the queue a file of its own")
