"""Store new jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from gigq.clock import later, to_text
from gigq.errors import UnknownParent
from gigq.records import NewJob
from gigq.status import ENDED_BADLY, UNFINISHED, JobStatus
from gigq.store.dependencies import ended_badly
from gigq.store.engine.database import Transaction

_GIVEN = (
    "id", "name", "description", "function", "args", "params", "queue", "priority", "timeout", "max_attempts",
    "retry_delay", "retry_backoff", "retry_max_delay", "retry_jitter", "retry_on", "no_retry_on",
    "pass_parent_results", "on_parent_failure", "metadata", "unique_key",
)  # fmt: skip
"""The columns that hold a field of `NewJob` as it is."""

_FOUND = (
    "status", "blockers", "attempts", "run_at", "expires_at", "created_at", "updated_at", "failed_parent", "error",
    "completed_at",
)  # fmt: skip
"""The columns that depend on the time and on the job's parents."""

_given = attrgetter(*_GIVEN)


def submit(tx: Transaction, jobs: Iterable[NewJob]) -> list[str]:
    """Store the jobs, parents before their children, and return their ids.

    A job whose id is already in the file is left as it is there. A job whose unique key an unfinished job has is not
    stored, and the id of that one returned; for children in the same call, that one is their parent.

    Raises:
        UnknownParent: a dependency is neither in the file nor earlier in `jobs`.
    """
    ids = []
    held: dict[str, str] = {}
    for job in jobs:
        if not held.keys().isdisjoint(job.dependencies):
            job = job._replace(dependencies=tuple(held.get(each, each) for each in job.dependencies))
        holder = _holder(tx, job)
        if holder not in (None, job.id):
            held[job.id] = holder
        elif not (job.dependencies and _is_stored(tx, job.id)):
            _store(tx, job)
        ids.append(held.get(job.id, job.id))
    return ids


def _holder(tx: Transaction, job: NewJob) -> str | None:
    """Return the id of the unfinished job that has this one's key."""
    if job.unique_key is None:
        return None
    holder: str | None = tx.value(
        "SELECT id FROM jobs WHERE unique_key = ? AND completed_at IS NULL", (job.unique_key,)
    )
    return holder


def _store(tx: Transaction, job: NewJob) -> None:
    parents = [_parent(tx, job, parent_id) for parent_id in job.dependencies]
    inserted = tx.execute(_INSERT, (*_given(job), *_found(tx, job, parents)))
    if inserted.rowcount == 0:
        return
    tx.has_news = True
    seq = inserted.lastrowid
    if parents:
        tx.executemany(
            "INSERT INTO job_dependencies (child, parent, position) VALUES (?, ?, ?)",
            ((seq, parent["seq"], position) for position, parent in enumerate(parents)),
        )
    if job.tags:
        tx.executemany("INSERT INTO job_tags (job_seq, tag) VALUES (?, ?)", ((seq, tag) for tag in job.tags))


_COLUMNS = ", ".join(_GIVEN + _FOUND)
_MARKS = ", ".join("?" * len(_GIVEN + _FOUND))
_INSERT = f"""
    INSERT INTO jobs ({_COLUMNS})
    VALUES ({_MARKS})
        ON CONFLICT (id) DO NOTHING
"""


def _found(tx: Transaction, job: NewJob, parents: list[sqlite3.Row]) -> tuple[Any, ...]:
    """Return the values of the columns `_FOUND`."""
    failed_parent = _failed_parent(job, parents)
    blockers = sum(parent["status"] in UNFINISHED for parent in parents)
    expires_at = None if job.expires_at is None else to_text(job.expires_at)
    if failed_parent is None:
        pending = JobStatus.PENDING.value
        return pending, blockers, 0, _run_at(tx, job), expires_at, tx.stamp, tx.stamp, None, None, None
    root = failed_parent["failed_parent"] or failed_parent["seq"]
    error = ended_badly(failed_parent["id"], failed_parent["name"], failed_parent["status"])
    cancelled = JobStatus.CANCELLED.value
    return cancelled, blockers, 0, None, expires_at, tx.stamp, tx.stamp, root, error, tx.stamp


def _failed_parent(job: NewJob, parents: list[sqlite3.Row]) -> sqlite3.Row | None:
    """Return the parent whose bad end cancels the job as soon as it is stored."""
    if job.on_parent_failure == "run":
        return None
    return next((parent for parent in parents if parent["status"] in ENDED_BADLY), None)


def _run_at(tx: Transaction, job: NewJob) -> str | None:
    run_at = later(tx.now, job.delay) if job.delay is not None else job.run_at
    return to_text(run_at) if run_at is not None and run_at > tx.now else None


def _parent(tx: Transaction, job: NewJob, parent_id: str) -> sqlite3.Row:
    found = tx.rows("SELECT seq, id, name, status, failed_parent FROM jobs WHERE id = ?", (parent_id,))
    if not found:
        raise UnknownParent(f"job {job.name!r} depends on {parent_id!r}, which was never submitted or has been cleared")
    return found[0]


def _is_stored(tx: Transaction, job_id: str) -> bool:
    return tx.value("SELECT 1 FROM jobs WHERE id = ?", (job_id,)) is not None
