"""The write-ahead log of a file: switched on, and kept from growing."""

from __future__ import annotations

import os

from gigq.store.engine import files
from gigq.store.engine.patience import Connect, Patience, tried

_LARGE_LOG = 5 << 20
"""Bytes; without readers that hold it up SQLite starts it over at 4 MB."""


def switch_on(connect: Connect, patience: Patience) -> None:
    """Have a file use write-ahead logging, in which readers and the writer do not wait for each other."""
    # Only a file without tables takes auto_vacuum, and after the switch to WAL it does not. It costs a submit, a claim
    # and a settlement 0 to 1 %; VACUUM instead would lock workers out for seconds.
    patience.insist(connect, "PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL")


def is_well(file: str) -> bool:
    """Whether a file has a log, and not one that a reader has let grow."""
    log = f"{file}-wal"
    return os.path.exists(log) and files.size(log) < _LARGE_LOG


def tend(connect: Connect, file: str) -> None:
    """Start the log over, or switch it on if another program has switched it off, unless a reader prevents it.

    SQLite starts it over by itself only where a checkpoint ends between two writes, and a busy queue may leave no room
    for that for seconds.
    """
    if not os.path.exists(f"{file}-wal"):
        tried(connect, "PRAGMA journal_mode = WAL", "PRAGMA journal_mode")
        return
    # The first one copies while others write, so that the second, which keeps them out, has little to do.
    for checkpoint in ("PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(TRUNCATE)"):
        connect().execute(checkpoint).fetchone()
