"""The file of a queue: its path, its making, and why it cannot be opened or written, as sentences for people."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

from gigq.errors import NotAQueue, StoreError

MEMORY = ":memory:"

LOOK = "open it read-only to look at it"
"""What to do with a file that may be read and not written."""

_LONGEST_NAME = 255 - len("-journal")
"""Bytes of a name to which SQLite can add the ends of its own files, on all usual file systems."""

_LONGEST_PATH = 512 - len("-journal")
"""Bytes: SQLite refuses longer ones on Unix."""


def plain_path(path: str | os.PathLike[str], name: str = "db_path") -> str:
    """Return a path or a ``sqlite:///`` URL as a path; `name` is for messages.

    Raises:
        TypeError, ValueError: it is neither.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        kinds = "a path, a URL such as sqlite:///jobs.db, or ':memory:'"
        raise TypeError(f"{name} is {path!r:.80}; it must be {kinds}") from None
    if not text:
        raise ValueError(f"{name} must not be empty")
    if "\0" in text:
        raise ValueError(f"{text!r:.80} is not a path of a file")
    if text.startswith("file:"):  # SQLite's own URLs, which few programs mean to be a name
        raise ValueError(f"{text!r:.80} is a URL of SQLite; give a path, or a URL such as sqlite:///jobs.db")
    if "://" not in text:
        return text
    from urllib.parse import unquote, urlsplit  # only here: few paths are URLs, and it takes as long as all else

    url = urlsplit(text)
    if url.scheme != "sqlite" or url.netloc or len(url.path) < 2:
        raise ValueError(f"{text!r} is not a path, and not a URL such as sqlite:///jobs.db")
    if url.query or url.fragment:
        more = f"?{url.query}" if url.query else f"#{url.fragment}"
        raise ValueError(f"{text!r} ends with {more!r}, which means nothing here; end it with the name of the file")
    return unquote(url.path[1:])


def identity(file: str) -> tuple[int, int] | None:
    """Return what tells a file from all others, or None where there is none.

    Raises:
        StoreError: it cannot be told whether there is one.
    """
    try:
        found = os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:  # a folder that may not be entered, links in a circle, a name that is too long
        raise StoreError(unopened(file) or f"{file!r:.300}: {error.strerror}") from error
    return found.st_dev, found.st_ino


def size(file: str) -> int:
    """Return the bytes of a file; 0 where there is none."""
    try:
        return os.path.getsize(file)
    except OSError:
        return 0


def room(file: str) -> int | None:
    """Return the bytes that are left for this process on the disk of a file; None if that cannot be told."""
    try:
        found = os.statvfs(file)
    except (OSError, AttributeError):  # Windows has no statvfs
        return None
    return found.f_bavail * found.f_frsize


def written_at(*paths: str) -> datetime | None:
    """Return when one of these files was last written; None if there is none. An empty log was made by who looked."""
    times = []
    for path in paths:
        with suppress(OSError):
            found = os.stat(path)
            times += [found.st_mtime] if found.st_size else []
    return datetime.fromtimestamp(max(times), UTC) if times else None


def create(file: str) -> None:
    """Make an empty file where there is none, that its owner alone may read and write.

    Only SQLite may open the file: closing any other descriptor of it drops SQLite's locks in this process.

    Raises:
        StoreError, sqlite3.Error: it cannot be made.
    """
    if os.path.exists(file):
        return
    if reason := _too_long(os.path.realpath(file)):
        raise StoreError(reason)
    # Made without being opened, and with its mode from the first: -wal and -shm take theirs from it.
    if hasattr(os, "mknod"):
        with suppress(OSError):
            os.mknod(file, stat.S_IFREG | 0o600)
    if not os.path.exists(file):  # a system where only root may, or a link to a file that does not exist yet
        sqlite3.connect(file, isolation_level=None).close()
        os.chmod(file, 0o600)


def missing(path: str) -> StoreError:
    """Return the error of a file that does not exist."""
    if reason := _too_long(os.path.realpath(path)):
        return StoreError(reason)
    folder = os.path.dirname(os.path.abspath(path))
    more = "; the first submit creates one" if os.path.isdir(folder) else f": there is no folder {folder!r}"
    return NotAQueue(f"there is no queue at {path!r}{more}")


def unopened(path: str) -> str | None:
    """Return why SQLite cannot open a file, or make it; None if no reason can be seen."""
    file = os.path.realpath(path)
    if reason := _too_long(file):
        return reason
    for each in _folders_above(file):
        if not os.path.isdir(each):
            what = f"{each!r} is not a folder" if os.path.exists(each) else f"there is no folder {each!r}"
            return f"{path!r} cannot be opened: {what}"
        if not _may(each, os.X_OK):
            return f"{path!r} cannot be opened: {_who(each, 'enter the folder', 0o111)}"
    if os.path.isdir(file):
        return f"{path!r} is a folder; give the path of a file in it, such as {os.path.join(path, 'gigq.db')!r}"
    if not os.path.lexists(file):
        reason = _unwritable(os.path.dirname(file), "the folder") or "the system allows no new file there"
        return f"{path!r} cannot be made: {reason}"
    if not os.path.isfile(file):
        return f"{path!r} is not an ordinary file; give another path"
    if not _may(file, os.R_OK):
        return f"{path!r} cannot be read: {_who(file, 'read it', 0o444)}"
    return None


def unwritten(path: str) -> str | None:
    """Return why a file, or what SQLite keeps next to it, cannot be written; None if no reason can be seen."""
    file = os.path.realpath(path)
    for each, name in ((file, ""), (f"{file}-wal", "its log"), (f"{file}-shm", "its -shm file")):
        if os.path.exists(each) and (reason := _unwritable(each, name)):
            return f"{path!r} cannot be written: {reason}"
    if os.path.exists(f"{file}-wal") and os.path.exists(f"{file}-shm"):
        return None
    reason = _unwritable(os.path.dirname(file), "its folder, where SQLite keeps its log")
    return reason and f"{path!r} cannot be written: {reason}"


def must_be_writable(path: str) -> None:
    """Refuse a file that this process may not write and that nobody has open.

    In a folder that it may write, SQLite would leave a log there that the file's owner cannot write.

    Raises:
        StoreError: it is such a file.
    """
    if not _may(path, os.W_OK) and not os.path.exists(f"{os.path.realpath(path)}-wal"):
        reason = unopened(path)  # then it cannot be looked at either
        raise StoreError(reason or f"{unwritten(path) or f'{path!r} cannot be written'}; {LOOK}")


def may_write(file: str) -> bool:
    """Whether this process may write a file, and what SQLite keeps next to it."""
    return unwritten(file) is None


def _too_long(file: str) -> str | None:
    for what, text, most in (("name", os.path.basename(file), _LONGEST_NAME), ("path", file, _LONGEST_PATH)):
        if (length := len(os.fsencode(text))) > most:
            return f"{text!r:.150} is too long for the {what} of a queue: it has {length} bytes; the most are {most}"
    return None


def _folders_above(file: str) -> Iterator[str]:
    folder = os.path.dirname(file)
    if folder != os.path.dirname(folder):
        yield from _folders_above(folder)
    yield folder


def _may(path: str, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _unwritable(path: str, name: str) -> str | None:
    if _may(path, os.W_OK):
        return None
    with suppress(OSError, AttributeError):  # Windows has no statvfs
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return f"{name or 'it'} is on a file system that is mounted read-only"
    return _who(path, f"write {name or 'it'}", 0o222)


def _who(path: str, what: str, bits: int) -> str:
    """Return who may do something with a file, by its mode, and who this process is."""
    found = os.stat(path)
    try:
        from grp import getgrgid
        from pwd import getpwuid
    except ImportError:  # Windows
        return f"this process may not {what}"
    names = []
    if found.st_mode & bits & stat.S_IRWXU:
        names.append(_name(lambda: getpwuid(found.st_uid).pw_name, f"user {found.st_uid}"))
    if found.st_mode & bits & stat.S_IRWXG:
        names.append("the group " + _name(lambda: getgrgid(found.st_gid).gr_name, str(found.st_gid)))
    mode = f"its mode is {stat.S_IMODE(found.st_mode):04o}"
    if not names:
        return f"nobody may {what} ({mode})"
    me = _name(lambda: getpwuid(os.geteuid()).pw_name, f"user {os.geteuid()}")
    return f"only {' and '.join(names)} may {what} ({mode}), and this process runs as {me}"


def _name(look_up: Callable[[], str], otherwise: str) -> str:
    try:
        return look_up()
    except KeyError:  # a number without a name, as in many containers
        return otherwise
