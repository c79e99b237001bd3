"""A copy of a whole file as it is at one instant, for a program of ours alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from gigq.store.engine.transaction import Transaction


def size(tx: Transaction) -> int:
    """Return how many bytes a copy will have."""
    pages, bytes_of_page = tx.value("PRAGMA page_count"), tx.value("PRAGMA page_size")
    return int(pages) * int(bytes_of_page)


def copy(tx: Transaction, destination: str) -> None:
    """Write a copy of what a transaction reads. Nobody else waits for that, but the log of the file grows meanwhile."""
    with closing(sqlite3.connect(destination)) as target:
        tx.connection.backup(target)
