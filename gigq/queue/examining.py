"""Everything about a queue and its file that should worry somebody: what, why it matters, and what to do."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from shlex import quote

from gigq.durations import span
from gigq.errors import StoreError
from gigq.health_records import Finding, QueueInfo
from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.queue.words import counted
from gigq.queue_records import WorkerRecord
from gigq.store import checking, crew, file_facts
from gigq.store.engine import files, mounts
from gigq.store.engine.database import Database
from gigq.store.soundness import LEAST_ROOM
from gigq.store.workers import heartbeats

_LARGE_LOG = 64 << 20
"""Bytes: with its readers at work the log of a queue has a tenth of that."""
_MUCH_UNUSED = 100 << 20
_OLDEST_SQLITE = (3, 34)
_SKEW = timedelta(seconds=60)

_REPAIR = "gigq doctor --repair"


def examine(database: Database) -> list[Finding]:
    """Return what should worry somebody, problems first. It reads all of the file."""
    with database.read() as tx:
        broken = checking.check(tx)
    found = list(_of_content(broken, database.path))
    try:
        found += _of_the_rest(database)
    except StoreError as error:  # what is broken may be just what this reads
        found += [] if broken else _of_content([str(error)], database.path)
    return sorted(found, key=lambda each: not each.is_problem)


def _of_the_rest(database: Database) -> list[Finding]:
    here = this_process()
    with database.read() as tx:
        info = file_facts.file_facts(tx, database.path)
        gone = certainly_dead(heartbeats(tx), here=here, is_gone=is_gone)
        workers, now = crew.records(tx, gone=gone), tx.now
    return [
        *_of_file(database, info), *_of_sqlite(info), *_of_workers(workers, now), *_of_clock(info, workers, now),
    ]  # fmt: skip


def _of_content(broken: list[str], path: str) -> Iterator[Finding]:
    for sentence in broken:
        is_damage = sentence.startswith("SQLite:") or sentence.startswith("the table ")
        why = "what the file holds may be lost" if is_damage else "jobs may wait for ever, or run twice"
        remedy = f"stop the workers, and put a backup in the place of {quote(path)}" if is_damage else _REPAIR
        yield Finding("content", sentence, why, remedy)


def _of_file(database: Database, info: QueueInfo) -> Iterator[Finding]:
    if database.identity is None:
        return
    path = quote(info.path)
    # Of a file that may only be read SQLite does not tell it; and whoever opens the queue to write switches it back.
    if info.journal_mode != "wal" and files.may_write(info.path):
        what = f"the journal mode is {info.journal_mode!r}: this is a backup as it was made, or another program did it"
        why = "until it is switched back, workers and those who look wait for each other"
        yield Finding("file", what, why, _REPAIR, is_problem=False)
    kind = mounts.network_kind(database.identity[0])
    if kind is not None:
        what = f"the file is on a network file system ({kind})"
        remedy = f"stop the workers, and move it to a local disk; or set {mounts.QUIET}=ok if one machine alone uses it"
        yield Finding("mount", what, "SQLite's locks may fail there, and the file may be damaged", remedy)
    if info.disk_free is not None and info.disk_free < max(LEAST_ROOM, info.log_size):
        what = f"the disk is nearly full: {_megabytes(info.disk_free)} are left"
        yield Finding("disk", what, "no job can be submitted or completed once it is", "gigq prune --older-than 7d")
    if info.log_size > max(_LARGE_LOG, info.size // 2):
        what = f"the log of the file has {_megabytes(info.log_size)}"
        why = "a program that reads for long, or has died, keeps it from being started over; it fills the disk"
        yield Finding("log", what, why, f"lsof {path}-wal, and end the program that has it open for longest")
    unused = info.free_pages * info.page_size
    if unused > max(_MUCH_UNUSED, info.size // 2):
        what = f"{_megabytes(unused)} of the file are unused"
        yield Finding("file", what, "they fill the disk", "gigq prune", is_problem=False)
    if os.name == "posix" and (mode := stat.S_IMODE(os.stat(database.file).st_mode)) & 0o007:
        what = f"every user of this machine may open the file (its mode is {mode:04o})"
        yield Finding("file", what, "arguments and results may be secret", f"chmod o-rwx {path}", is_problem=False)


def _of_sqlite(info: QueueInfo) -> Iterator[Finding]:
    version = tuple(int(part) for part in info.sqlite_version.split(".") if part.isdecimal())
    if version < _OLDEST_SQLITE:
        what = f"Python has SQLite {info.sqlite_version}, and gigq needs {'.'.join(map(str, _OLDEST_SQLITE))} or later"
        yield Finding("sqlite", what, "statements may fail", "install a Python that was built with a newer SQLite")


def _of_workers(workers: list[WorkerRecord], now: datetime) -> Iterator[Finding]:
    for each in workers:
        held = f" and holds {counted(each.running, 'job')}" if each.running else ""
        silence = span((now - each.seen_at).total_seconds())
        if each.state == "dead" and each.running:
            what = f"worker {each.id} is dead{held}"
            yield Finding("workers", what, "they wait until somebody takes them from it", "gigq recover")
        elif each.state == "silent" and each.running:
            what = f"worker {each.id} was last seen {silence} ago{held}"
            why = "they wait until a live worker takes them from it"
            yield Finding("workers", what, why, "gigq worker")
        elif each.trouble is not None and each.state not in ("dead", "silent"):
            what = f"worker {each.id} can start no job: {each.trouble.partition(chr(10))[0]}"
            yield Finding("workers", what, "its slots are empty", f"gigq stop {quote(each.id)}, and start it again")
        if each.state not in ("dead", "silent"):
            yield from _of_missing(each)


def _of_missing(worker: WorkerRecord) -> Iterator[Finding]:
    for function, reason in worker.missing.items():
        what = f"worker {worker.id} does not find the function {function}: {reason.partition(chr(10))[0]}"
        remedy = "start it where the code is, with the code that submits these jobs"
        yield Finding("functions", what, "it leaves the jobs that call it to others", remedy)


def _of_clock(info: QueueInfo, workers: list[WorkerRecord], now: datetime) -> Iterator[Finding]:
    """Compare this machine's clock with what others have written."""
    written = [each.seen_at for each in workers] + [each for each in (info.newest_job_at,) if each is not None]
    ahead = max(written, default=now) - now
    if ahead > _SKEW:
        what = f"the file was written {span(ahead.total_seconds())} in the future, by the clock of this machine"
        why = "the clock here, or that of the writer, is wrong: delays, timeouts and lost workers go by it"
        yield Finding("clock", what, why, "timedatectl status")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
