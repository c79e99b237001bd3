"""The errors of SQLite as errors of ours, which mean something to a user."""

from __future__ import annotations

import sqlite3
import threading

from gigq.errors import GigqError, NotAQueue, QueueBusy, StoreError
from gigq.store.engine import files

_CANNOT_EVEN_READ = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY_DIRECTORY, sqlite3.SQLITE_READONLY_CANTINIT)


_MISREAD = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
"""What reading raises where somebody has put into the file what gigq does not write."""


class UnstorableValue(ValueError):
    """A value that the file cannot hold, and that was not checked because it is only looked up, such as an id."""


def let_ctrl_c_through(error: sqlite3.Error) -> None:
    """Raise KeyboardInterrupt if this error is all that sqlite3 has left of one.

    It drops what is raised inside a function of SQL. Ours raise nothing, but there Python comes to handle signals.
    """
    if "user-defined function raised exception" not in str(error):
        return
    import signal  # only here: it makes an enum of all signals, and takes as long to import as ten of our modules

    handles_signals = threading.current_thread() is threading.main_thread()
    if handles_signals and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        raise KeyboardInterrupt from None


def explained(error: sqlite3.Error, path: str) -> StoreError:
    """Return an error of SQLite as one of ours, with a sentence that names the file."""
    match primary_code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return QueueBusy(f"{path!r} is locked by another program")
        case sqlite3.SQLITE_NOTADB:
            return NotAQueue(f"{path!r} is not a SQLite database")
        case sqlite3.SQLITE_FULL:
            return StoreError(f"the disk is full: {path!r} could not be written")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR if reason := files.unopened(path):
            return StoreError(reason)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY if reason := files.unwritten(path):
            # What comes for a read too: SQLite cannot make its log.
            cannot_read = getattr(error, "sqlite_errorcode", 0) in _CANNOT_EVEN_READ
            return StoreError(f"{reason}; {files.LOOK}" if cannot_read else reason)
        case sqlite3.SQLITE_CORRUPT:
            return StoreError(f"{path!r} is damaged ({error}); restore a backup")
    return StoreError(f"{path!r}: {error}")


def misread(error: BaseException, path: str) -> StoreError | None:
    """Return the error of code that could not understand what it has read; None for any other error."""
    if not isinstance(error, _MISREAD) or isinstance(error, GigqError | UnstorableValue):
        return None
    return StoreError(
        f"{path!r} holds what gigq never wrote ({type(error).__name__}: {error!s:.200}); mend it with a SQLite tool"
    )


def unstorable(error: UnicodeEncodeError | OverflowError) -> UnstorableValue:
    """Return the error that sqlite3 raises for a value that it cannot pass on as one of ours."""
    if isinstance(error, UnicodeEncodeError):
        return UnstorableValue(f"{error.object!r:.80} cannot be: UTF-8 cannot hold a lone surrogate")
    return UnstorableValue("a number cannot be: it is larger than the file can hold")


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's primary code for an error, without extensions; None for an error of sqlite3 itself."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code if code is None else code & 0xFF
