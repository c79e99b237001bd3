"""Store new jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

from gigq.clock import later, to_text
from gigq.errors import UnknownParent
from gigq.job_ids import JobId
from gigq.new_job import NewJob
from gigq.status import ENDED_BADLY, UNFINISHED, JobStatus
from gigq.store import found
from gigq.store.dependencies import ended_badly
from gigq.store.engine.lists import listed
from gigq.store.engine.transaction import Transaction

_PLAIN = (
    "id", "name", "description", "function", "args", "params", "queue", "priority", "timeout", "max_attempts",
    "retry_delay", "retry_backoff", "retry_max_delay", "retry_jitter", "retry_on", "no_retry_on", "on_parent_failure",
    "metadata",
)  # fmt: skip
"""The columns of a plain job that differ from one to another: those without a usual value in `_USUAL`."""

_USUAL = {
    "run_at": None, "delay": None, "expires_at": None, "pass_parent_results": False, "unique_key": None,
    "dependencies": (), "tags": (),
}  # fmt: skip
"""The other fields of a plain job. Without them it takes one row, and no look at other rows."""

_AT_ONCE = 48
"""Plain jobs that one statement stores: that takes two thirds of `executemany`, and less than 999 values."""


def _fields(names: Iterable[str]) -> itemgetter[Any]:
    return itemgetter(*(NewJob._fields.index(name) for name in names))


_id, _plain, _usual = _fields(["id"]), _fields(_PLAIN), _fields(_USUAL)
_USUALLY = tuple(_USUAL.values())


def submit(tx: Transaction, jobs: Iterable[NewJob], *, submitter: int | None = None) -> list[JobId]:
    """Store the jobs, parents before their children, and return their ids, which know whether they are new.

    A job whose id is already in the file is left as it is there. A job whose unique key an unfinished job has is not
    stored, and the id of that one returned; for children in the same call, that one is their parent.

    A job that waits for another one waits for all that this has submitted, too.

    Args:
        submitter: the running job whose function submits them. A job does not wait for what its own submitter submits.

    Raises:
        UnknownParent: a dependency is neither in the file nor earlier in `jobs`.
    """
    ids: list[JobId] = []
    holders: dict[str, str] = {}
    plain: list[NewJob] = []
    for job in jobs:
        if _usual(job) == _USUALLY and job.id not in holders:
            plain.append(job)
        else:
            ids += _store_plain(tx, plain)
            plain.clear()
            ids.append(_submit(tx, job, holders, submitter))
    ids += _store_plain(tx, plain)
    return ids


def _submit(tx: Transaction, job: NewJob, holders: dict[str, str], submitter: int | None) -> JobId:
    """Store a job, and return its id, or that of the unfinished job that has its key, which then is in `holders`."""
    if not holders.keys().isdisjoint(job.dependencies):
        job = job._replace(dependencies=tuple(dict.fromkeys(holders.get(each, each) for each in job.dependencies)))
    holder = _holder(tx, job)
    if holder not in (None, job.id):
        holders[job.id] = holder
        return JobId(holder, is_new=False)
    holders.pop(job.id, None)  # the same id came before, with a key
    is_new = not (job.dependencies and _is_stored(tx, job.id)) and _store(tx, job, submitter)
    return JobId(job.id, is_new=is_new)


def _holder(tx: Transaction, job: NewJob) -> str | None:
    """Return the id of the unfinished job that has this one's key."""
    if job.unique_key is None:
        return None
    holder: str | None = tx.value(
        "SELECT id FROM jobs WHERE unique_key = ? AND completed_at IS NULL", (job.unique_key,)
    )
    return holder


def _store_plain(tx: Transaction, jobs: Sequence[NewJob]) -> list[JobId]:
    """Store plain jobs, unless their ids are in the file, and return these."""
    ids: list[JobId] = []
    whole = len(jobs) - len(jobs) % _AT_ONCE
    last = tx.value("SELECT max(seq) FROM jobs") if whole else None
    for start in range(0, whole, _AT_ONCE):
        portion = jobs[start : start + _AT_ONCE]
        values = chain.from_iterable(map(_plain, portion))
        stored = tx.execute(_INSERT_MANY, (tx.stamp, tx.stamp, *values)).rowcount
        ids += map(JobId, map(_id, portion)) if stored == _AT_ONCE else _some_new(tx, portion, ids, before=last)
    for job in jobs[whole:]:
        stored = tx.execute(_INSERT_ONE, (tx.stamp, tx.stamp, *_plain(job))).rowcount
        ids.append(JobId(job.id, is_new=stored > 0))
    tx.has_news |= any(each.is_new for each in ids)
    return ids


def _some_new(tx: Transaction, jobs: Sequence[NewJob], earlier: Iterable[str], *, before: int | None) -> list[JobId]:
    """Return the ids of jobs some of which were in the file before this call, or came `earlier` in it, or came twice.

    Args:
        before: the seq of the last job that was in the file before this call.
    """
    these, values = listed([job.id for job in jobs])
    found = tx.execute(f"SELECT id FROM jobs WHERE id IN {these} AND seq <= ?", (*values, before or 0))
    old = {job_id for (job_id,) in found}.union(earlier)
    ids = []
    for job in jobs:
        ids.append(JobId(job.id, is_new=job.id not in old))
        old.add(job.id)
    return ids


_COLUMNS = ", ".join(_PLAIN)
_PLACES = ", ".join(f"column{place}" for place, _ in enumerate(_PLAIN, start=1))
_MARKS = ", ".join("?" * len(_PLAIN))
_ROWS = ", ".join([f"({_MARKS})"] * _AT_ONCE)

_INSERT_ONE = f"""
    INSERT INTO jobs (status, blockers, attempts, pass_parent_results, created_at, updated_at, {_COLUMNS})
    VALUES ('pending', 0, 0, 0, ?, ?, {_MARKS})
        ON CONFLICT (id) DO NOTHING
"""

_INSERT_MANY = f"""
    INSERT INTO jobs (status, blockers, attempts, pass_parent_results, created_at, updated_at, {_COLUMNS})
    SELECT 'pending', 0, 0, 0, ?, ?, {_PLACES}
      FROM (VALUES {_ROWS})
     WHERE true
        ON CONFLICT (id) DO NOTHING
"""


def _store(tx: Transaction, job: NewJob, submitter: int | None) -> bool:
    """Store a job of any kind, unless its id is in the file: then return False."""
    parents = _parents(tx, job, submitter) if job.dependencies else []
    values = dict(zip(_PLAIN, _plain(job), strict=True)) | _other_columns(tx, job, parents)
    values = {column: value for column, value in values.items() if value is not None}  # None is slow to bind
    inserted = tx.execute(_insert(tuple(values)), tuple(values.values()))
    if inserted.rowcount == 0:
        return False
    tx.has_news = True
    seq = inserted.lastrowid
    if parents:
        tx.executemany(
            "INSERT INTO job_dependencies (child, parent, position) VALUES (?, ?, ?)",
            [(seq, parent["seq"], _position(number, job, parent)) for number, parent in enumerate(parents)],
        )
    if job.tags:
        tx.executemany("INSERT INTO job_tags (job_seq, tag) VALUES (?, ?)", [(seq, tag) for tag in job.tags])
    return True


@cache
def _insert(columns: tuple[str, ...]) -> str:
    return f"""
        INSERT INTO jobs ({", ".join(columns)})
        VALUES ({", ".join("?" * len(columns))})
            ON CONFLICT (id) DO NOTHING
    """


def _other_columns(tx: Transaction, job: NewJob, parents: Sequence[sqlite3.Row]) -> dict[str, Any]:
    """Return the values of the columns that are not in `_PLAIN`."""
    values = {
        "status": JobStatus.PENDING.value,
        "blockers": sum(parent["status"] in UNFINISHED for parent in parents),
        "attempts": 0,
        "run_at": _run_at(tx, job),
        "expires_at": None if job.expires_at is None else to_text(job.expires_at),
        "pass_parent_results": None if job.pass_parent_results is None else int(job.pass_parent_results),
        "unique_key": job.unique_key,
        "created_at": tx.stamp,
        "updated_at": tx.stamp,
    }
    failed_parent = _failed_parent(job, parents)
    if failed_parent is None:
        return values
    return values | {
        "status": JobStatus.CANCELLED.value,
        "run_at": None,
        "failed_parent": failed_parent["failed_parent"] or failed_parent["seq"],
        "error": ended_badly(failed_parent["id"], failed_parent["name"], failed_parent["status"]),
        "completed_at": tx.stamp,
    }


def _failed_parent(job: NewJob, parents: Sequence[sqlite3.Row]) -> sqlite3.Row | None:
    """Return the parent whose bad end cancels the job as soon as it is stored."""
    if job.on_parent_failure == "run":
        return None
    return next((parent for parent in reversed(parents) if parent["status"] in ENDED_BADLY), None)


def _run_at(tx: Transaction, job: NewJob) -> str | None:
    run_at = later(tx.now, job.delay) if job.delay is not None else job.run_at
    return to_text(run_at) if run_at is not None and run_at > tx.now else None


def _parents(tx: Transaction, job: NewJob, submitter: int | None) -> list[sqlite3.Row]:
    """Return the parents that a job names, in that order, and what these have submitted."""
    named = [_parent(tx, job, parent_id) for parent_id in job.dependencies]
    generous = {parent["seq"] for parent in named if parent["has_submitted"]}
    if generous and submitter is not None:
        generous -= found.path_to(tx, submitter)
    if not generous:
        return named
    known = {parent["seq"] for parent in named}
    return named + [row for row in found.found_by(tx, sorted(generous)) if row["seq"] not in known]


def _parent(tx: Transaction, job: NewJob, parent_id: str) -> sqlite3.Row:
    rows = tx.rows(
        """
        SELECT seq, id, name, status, failed_parent,
               EXISTS (SELECT 1 FROM jobs AS found WHERE found.submitted_by = jobs.seq) AS has_submitted
          FROM jobs
         WHERE id = ?
        """,
        (parent_id,),
    )
    if not rows:
        raise UnknownParent(f"job {job.name!r} depends on {parent_id!r}, which was never submitted or has been cleared")
    return rows[0]


def _position(number: int, job: NewJob, parent: sqlite3.Row) -> int:
    return number if number < len(job.dependencies) else found.FOUND + int(parent["seq"])


def _is_stored(tx: Transaction, job_id: str) -> bool:
    return tx.value("SELECT 1 FROM jobs WHERE id = ?", (job_id,)) is not None
