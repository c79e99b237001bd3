"""A copy of a file of GigQ 0.5.1, which is kept next to it because an upgrade cannot be undone."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, suppress
from itertools import chain, count

from gigq.errors import StoreError
from gigq.store.engine.connections import as_uri
from gigq.store.engine.sqlite_errors import explained

_END = ".gigq-0.5"


def keep_copy(file: str) -> str:
    """Copy the file as it was before the transaction that upgrades it, and return the path of the copy.

    To be called by who has the write lock, so that one process at a time makes a copy.

    Only who may use the file may use the copy. It is complete, and on the disk, when this returns. An earlier copy is
    only replaced by one that is the same, as an upgrade leaves it that did not come to its end.

    Raises:
        StoreError: it could not be made.
    """
    file = os.path.realpath(file)
    unfinished = f"{file}{_END}.unfinished"
    try:
        _copy(file, unfinished)
        names = chain([f"{file}{_END}"], (f"{file}{_END}.{number}" for number in count(2)))
        kept = next(each for each in names if not os.path.lexists(each) or _are_same(each, unfinished))
        os.replace(unfinished, kept)
        _sync(os.path.dirname(file))
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            os.unlink(unfinished)
        reason = explained(error, unfinished) if isinstance(error, sqlite3.Error) else error
        raise StoreError(
            f"{file!r} was not upgraded from GigQ 0.5.1, because no copy could be made: {reason}"
        ) from error
    return kept


def _copy(file: str, copy: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(copy)
    found = os.stat(file)
    # Made before SQLite opens it, with the right mode, and not through a link that somebody has put there.
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IMODE(found.st_mode)))
    os.chmod(copy, stat.S_IMODE(found.st_mode))  # whatever the umask
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # then the copy is of who makes it, like the file if nobody else may write that
            os.chown(copy, found.st_uid, found.st_gid)
    # A connection of its own: SQLite copies nothing from one that is writing, and waits for ever.
    with closing(sqlite3.connect(as_uri(file), uri=True)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _are_same(one: str, other: str) -> bool:
    if not os.path.isfile(one) or os.path.getsize(one) != os.path.getsize(other):
        return False
    with open(one, "rb") as first, open(other, "rb") as second:
        return all(first.read(1 << 20) == block for block in iter(lambda: second.read(1 << 20), b""))


def _sync(folder: str) -> None:
    with suppress(OSError):  # Windows opens no folders
        found = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(found)
        finally:
            os.close(found)
