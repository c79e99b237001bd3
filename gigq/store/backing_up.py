"""A copy of a queue while its workers run: of one moment, in steps, complete or not there at all."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from typing import TypeAlias

from gigq.clock import Clock
from gigq.errors import DestinationExists, StoreError
from gigq.queue_records import BackupRecord
from gigq.store import checking
from gigq.store.engine import files
from gigq.store.engine.database import Database
from gigq.store.engine.joined import joined_by
from gigq.store.engine.sqlite_errors import explained, primary_code
from gigq.store.schema import open_queue

OnProgress: TypeAlias = Callable[[int, int], object]
"""Is told how many bytes are copied, and how many there are."""

_STEP = 8 << 20
"""Bytes that are copied between two calls of `OnProgress`."""

_ENDS = ("-wal", "-shm", "-journal")
"""What SQLite keeps next to a file that is open, or that a program has not closed."""

_MOST_OF_THE_NAME = 40
"""Letters of a destination's name that the copy has in its own, until it is ready: names have at most 255 bytes."""

_OF_THE_COPY = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)


def backup(
    database: Database, destination: str | os.PathLike[str], *, clock: Clock, overwrite: bool, on_progress: OnProgress
) -> BackupRecord:
    """Copy a queue to a file, and check the copy. Raises as `JobQueue.backup`.

    The copy is made under another name, so that what has the name of the destination is always whole.
    """
    if joined_by(database) is not None:
        raise RuntimeError(f"{database.path!r} cannot be backed up inside a transaction on it; do it after the block")
    path = files.plain_path(destination, "destination")
    _refuse_unfit(database, path, overwrite=overwrite)
    partial = _partial(path)
    try:
        taken_at = _copy(database, partial, on_progress)
        found = _looked_at(partial, clock)
        _give_its_name(partial, path, overwrite=overwrite)
    finally:
        for end in ("", *_ENDS):
            with suppress(OSError):
                os.unlink(f"{partial}{end}")
    return found._replace(path=os.path.abspath(path), taken_at=taken_at)


def _refuse_unfit(database: Database, path: str, *, overwrite: bool) -> None:
    """Refuse a destination at which no file can be, or another one is."""
    if path == files.MEMORY:
        raise ValueError("destination is ':memory:'; it must be the path of a file, for the copy would be gone at once")
    file = os.path.realpath(path)
    if file in [f"{os.path.realpath(database.file)}{end}" for end in ("", *_ENDS)] or _is_same(database, file):
        raise ValueError(f"destination is {path!r}, which is the queue's own file; give another one")
    if reason := files.unopened(path):
        if not os.path.lexists(path) and os.access(os.path.dirname(file) or ".", os.W_OK | os.X_OK):
            return
        raise StoreError(reason)
    if not overwrite:
        raise DestinationExists(f"there is a file at {path!r} already; give another destination, or overwrite=True")
    for end in _ENDS:
        if os.path.exists(f"{file}{end}"):
            raise StoreError(f"{path!r} is open in another program, or was not closed: there is {file + end!r}")


def _partial(path: str) -> str:
    """Return the name of a copy that is not ready: one that no other backup has, wherever it runs, and a short one."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f"{name[:_MOST_OF_THE_NAME]}.{os.urandom(4).hex()}.partial")


def _is_same(database: Database, file: str) -> bool:
    return database.identity is not None and files.identity(file) == database.identity


def _copy(database: Database, partial: str, on_progress: OnProgress) -> datetime:
    """Copy the file as it is at one moment, which is returned."""
    try:
        with _blamed_on(partial):
            files.create(partial)
        with database.read() as tx:
            # The snapshot is taken: without one, SQLite would begin again after every commit of another process.
            is_in_wal = tx.value("PRAGMA journal_mode") == "wal"
            size = int(tx.value("PRAGMA page_size"))
            # In a file without a log, writers wait for readers: then it is copied at once.
            pages = max(1, _STEP // size) if is_in_wal else -1
            with _blamed_on(partial), closing(sqlite3.connect(partial, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous = OFF")  # it is synced as a whole
                sqlite3.Connection.backup(  # not that of a subclass, which refuses it in a transaction
                    tx.connection, copy, pages=pages,
                    progress=lambda _, left, total: _tell(on_progress, (total - left) * size, total * size),
                )  # fmt: skip
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, which a read-only folder can hold
            return tx.now
    except _Stopped as stopped:
        raise stopped.reason from stopped.__cause__


@contextmanager
def _blamed_on(partial: str) -> Iterator[None]:
    """Take what goes wrong with a file for an error of the copy."""
    try:
        yield
    except sqlite3.Error as error:
        if primary_code(error) in _OF_THE_COPY:
            raise _Stopped(explained(error, partial)) from error
        raise


class _Stopped(BaseException):
    """An error of the copy, or of `OnProgress`, on its way through a transaction, which would take it for its own."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason


def _tell(on_progress: OnProgress, done: int, total: int) -> None:
    try:
        on_progress(done, total)
    except Exception as error:
        raise _Stopped(error) from error


def _looked_at(partial: str, clock: Clock) -> BackupRecord:
    """Return what is to be said of a copy, after reading all of it.

    SQLite does that in a second for 100 MB. What the rows say is the same as in the queue, page by page.
    """
    copy = open_queue(partial, initialize=False, timeout=5.0, durability="full", clock=clock, read_only=True)
    try:
        with copy.read() as tx:
            jobs, problems = int(tx.value("SELECT count(*) FROM jobs")), checking.damage(tx)
    finally:
        copy.close()
    return BackupRecord(partial, files.size(partial), jobs, clock.now(), tuple(problems))


def _give_its_name(partial: str, path: str, *, overwrite: bool) -> None:
    _sync(partial)
    if overwrite:
        os.replace(partial, path)
    else:
        try:
            os.link(partial, path)  # it fails if somebody has made one meanwhile, which a rename would not
        except FileExistsError:
            problem = f"there is a file at {path!r} already, which was made meanwhile; give another destination"
            raise DestinationExists(problem) from None
        except OSError:  # a file system without links
            os.rename(partial, path)
    if os.name == "posix":
        _sync(os.path.dirname(os.path.abspath(path)))


def _sync(path: str) -> None:
    """Have a file, or a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        with suppress(OSError):  # a file system that cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
