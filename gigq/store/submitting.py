"""How jobs enter the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from gigq.clock import later, to_text
from gigq.errors import UnknownParent
from gigq.records import NewJob
from gigq.status import ENDED_BADLY, UNFINISHED, JobStatus
from gigq.store.dependencies import ended_badly
from gigq.store.engine.database import Transaction


def submit(tx: Transaction, jobs: Iterable[NewJob]) -> list[str]:
    """Store the jobs, parents before their children, and return their ids.

    An id that is in the file already is left as it stands. A job whose unique key an unfinished job has is not stored,
    and that one's id returned; for children in the same call, that one is their parent.

    Raises:
        UnknownParent: a dependency is neither in the file nor earlier in `jobs`.
    """
    ids = []
    held: dict[str, str] = {}
    for job in jobs:
        if not held.keys().isdisjoint(job.dependencies):
            job = replace(job, dependencies=tuple(held.get(each, each) for each in job.dependencies))
        holder = _holder(tx, job)
        if holder not in (None, job.id):
            held[job.id] = holder
        elif not (job.dependencies and _is_stored(tx, job.id)):
            _store(tx, job)
        ids.append(held.get(job.id, job.id))
    return ids


def _holder(tx: Transaction, job: NewJob) -> str | None:
    """The id of the unfinished job that has this one's key."""
    if job.unique_key is None:
        return None
    holder: str | None = tx.value(
        "SELECT id FROM jobs WHERE unique_key = ? AND completed_at IS NULL", (job.unique_key,)
    )
    return holder


def _store(tx: Transaction, job: NewJob) -> None:
    parents = [_parent(tx, job, parent_id) for parent_id in job.dependencies]
    inserted = tx.execute(
        """
        INSERT INTO jobs (
               id, name, description, function, args, params, queue, priority, status, blockers, run_at, expires_at,
               timeout, max_attempts, attempts, retry_delay, retry_backoff, retry_max_delay, retry_jitter, retry_on,
               no_retry_on, pass_parent_results, on_parent_failure, metadata, unique_key, created_at, updated_at,
               failed_parent, error, completed_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
        """,
        _values(tx, job, parents),
    )
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


def _values(tx: Transaction, job: NewJob, parents: list[sqlite3.Row]) -> tuple[Any, ...]:
    failed_parent = _failed_parent(job, parents)
    blockers = sum(parent["status"] in UNFINISHED for parent in parents)
    return (
        job.id, job.name, job.description, job.function, job.args, job.params, job.queue, job.priority,
        JobStatus.CANCELLED if failed_parent else JobStatus.PENDING, blockers, None if failed_parent else _run_at(tx, job),
        job.expires_at and to_text(job.expires_at), job.timeout, job.max_attempts, job.retry_delay, job.retry_backoff,
        job.retry_max_delay, job.retry_jitter, job.retry_on, job.no_retry_on, job.pass_parent_results,
        job.on_parent_failure, job.metadata, job.unique_key, tx.stamp, tx.stamp,
        (failed_parent["failed_parent"] or failed_parent["seq"]) if failed_parent else None,
        ended_badly(failed_parent["id"], failed_parent["name"], failed_parent["status"]) if failed_parent else None,
        tx.stamp if failed_parent else None,
    )  # fmt: skip


def _failed_parent(job: NewJob, parents: list[sqlite3.Row]) -> sqlite3.Row | None:
    """The parent because of whose bad end the job is cancelled as soon as it is stored."""
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
