"""The jobs that were typed: whole IDs or parts of them, `-` for the last one, or IDs on standard input."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from gigq.cli import last_job
from gigq.cli.exits import Refused
from gigq.errors import AmbiguousId, JobNotFound
from gigq.handles import SHOWN, shorts

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

_HEX = frozenset("0123456789abcdefABCDEF")

LAST = "-"
"""It names the last job that this user submitted or looked at, or the IDs on standard input if something is there."""


def job_id(queue: JobQueue, typed: str) -> str:
    """Return the whole ID of the one job that was typed, and remember it as the last one.

    Raises:
        JobNotFound: no job has such an ID.
        Refused: several jobs have; or `-`, and there is not exactly one on standard input, or nothing is remembered.
    """
    found = list(_expanded(queue, [typed]))
    if len(found) != 1:
        raise Refused(f"{len(found) or 'no'} IDs came in on standard input; this command takes one")
    whole = _whole(queue, found[0])
    last_job.remember(queue.db_path, whole)
    return whole


def job_ids(queue: JobQueue, typed: Sequence[str]) -> list[str]:
    """Return the whole IDs of the jobs that were typed, each once, and remember the only one as the last.

    Raises:
        JobNotFound, Refused: as `job_id`. All are found before anything is done to one of them.
    """
    found = list(dict.fromkeys(_whole(queue, each) for each in _expanded(queue, typed)))
    if len(found) == 1:
        last_job.remember(queue.db_path, found[0])
    return found


def parent(queue: JobQueue, typed: str) -> str:
    """Return the whole ID of a job that another one is to wait for. Standard input is not read for it."""
    return _whole(queue, _last_of(queue) if typed == LAST else typed)


def comes_from_input(typed: Iterable[str]) -> bool:
    """Whether IDs are to be read from standard input."""
    return LAST in typed and _is_piped()


def _whole(queue: JobQueue, typed: str) -> str:
    try:
        return queue.full_id(typed)
    except AmbiguousId as error:
        raise Refused(_with_handles(str(error), [each.id for each in error.candidates])) from None
    except JobNotFound as error:
        if len(typed) >= SHOWN or set(typed) - _HEX:
            raise
        # Perhaps the beginning of a handle, which neither begins nor ends the ID.
        raise Refused(f"{error}; type 4 or more characters of its end or its beginning") from None


def _with_handles(message: str, ids: Sequence[str]) -> str:
    for whole, handle in zip(ids, shorts(ids), strict=True):
        message = message.replace(whole, handle) if handle != whole else message
    return message


def _expanded(queue: JobQueue, typed: Sequence[str]) -> Iterator[str]:
    """Yield what was typed, with what `-` means in its place."""
    for each in typed:
        if each != LAST:
            yield each
        elif _is_piped():
            yield from _first_words(_readable(sys.stdin))
        else:
            yield _last_of(queue)


def _readable(stream: TextIO) -> TextIO:
    """Return a stream that shows bytes that are no text as escapes: such an ID is not found, rather than not read."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _first_words(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from line.split(maxsplit=1)[:1]


def _last_of(queue: JobQueue) -> str:
    found = last_job.recall(queue.db_path)
    if found is None:
        raise Refused("no job is remembered as the last one of this queue; type its ID")
    return found


def _is_piped() -> bool:
    """Whether a program or a file is at standard input, rather than a person or nothing."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, ValueError, OSError):  # there is no stream, it is closed, or it is one in memory
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
