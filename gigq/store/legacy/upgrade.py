"""The upgrade of a file of the GigQ package 0.5.1: recognise it, say what prevents it, and copy its rows."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gigq.status import UNFINISHED
from gigq.store.dependencies import ended_badly, parent_ended_badly
from gigq.store.engine.transaction import Transaction
from gigq.store.indexes import INDEXES
from gigq.store.legacy.order import OldJob, Place, places
from gigq.store.legacy.rows import History, execution_from, job_from, unrecorded
from gigq.store.legacy.values import Old, as_text, ids, read
from gigq.store.tables import TABLES
from gigq.store.views import VIEWS

_RENAMED = {"jobs": "jobs_of_gigq_0_5", "job_executions": "job_executions_of_gigq_0_5"}
"""The names of their tables while the rows are copied, because one of ours has the same name."""

_ROW = "gigq_row"
"""The number of a row among its columns."""

_COLUMNS = {
    "jobs": (
        "id", "name", "function_name", "function_module", "params", "priority", "dependencies", "max_attempts",
        "timeout", "description", "status", "created_at", "updated_at", "attempts", "result", "error", "started_at",
        "completed_at", "worker_id",
    ),
    "job_executions": ("id", "job_id", "worker_id", "status", "started_at", "completed_at", "result", "error"),
}  # fmt: skip
"""The columns of their tables, from 0.1.0 on."""

_LATER_COLUMNS = ("pass_parent_results", "retry_delay", "retry_after")
"""Columns that later versions added to `jobs` when they opened a file."""


def is_legacy(tx: Transaction) -> bool:
    """Whether the file has the two tables of the older package."""
    found = tx.value("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('jobs', 'job_executions')")
    return bool(found == len(_COLUMNS))


def obstacle(tx: Transaction) -> str | None:
    """Return why such a file cannot be upgraded, or None if it can."""
    for table, columns in _COLUMNS.items():
        missing = [column for column in columns if column not in _columns(tx, table)]
        if missing:
            return f"its table {table!r} has no column {missing[0]!r}"
    ours = {*TABLES, *INDEXES, *VIEWS, *_RENAMED.values()} - {"jobs"}
    taken = sorted(ours & {name for (name,) in tx.execute("SELECT name FROM sqlite_master")})
    if taken:
        return f"it also has a table {taken[0]!r} of another application"
    # To drop a table deletes its rows first, and with them the rows that refer to them; or it fails.
    referring = tx.value(
        """
        SELECT tables.name
          FROM sqlite_master AS tables JOIN pragma_foreign_key_list(tables.name) AS keys
         WHERE tables.type = 'table'
           AND tables.name NOT IN ('jobs', 'job_executions')
           AND lower(keys."table") IN ('jobs', 'job_executions')
        """
    )
    return f"the table {referring!r} of another application refers to its jobs" if referring else None


def rename_old_tables(tx: Transaction) -> None:
    """Rename the old tables, so that ours can be created."""
    # Without this SQLite would also rewrite the views and triggers that others have on the table `jobs`.
    tx.execute("PRAGMA legacy_alter_table = ON")
    try:
        for table, renamed in _RENAMED.items():
            tx.execute(f"ALTER TABLE {table} RENAME TO {renamed}")
    finally:
        tx.execute("PRAGMA legacy_alter_table = OFF")


def copy_rows(tx: Transaction) -> None:
    """Copy all jobs and executions into our tables, which are empty, and drop the old tables."""
    with _any_text(tx.connection):
        found = places(_old_jobs(tx))
        histories = _copy_jobs(tx, found)
        _copy_executions(tx, histories)
    _copy_dependencies(tx, found)
    _cancel_children(tx)
    for renamed in reversed(_RENAMED.values()):
        tx.execute(f"DROP TABLE {renamed}")
    tx.has_news = True


@contextmanager
def _any_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Read text that is not UTF-8 too, with a replacement character for each byte that cannot be decoded."""
    usual, connection.text_factory = connection.text_factory, lambda raw: raw.decode("utf-8", "replace")
    try:
        yield
    finally:
        connection.text_factory = usual


def _columns(tx: Transaction, table: str) -> list[str]:
    return [name for (name,) in tx.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def _rows(tx: Transaction, sql: str) -> Iterator[Old]:
    """Yield one row at a time: a result may be large, and there may be a million."""
    cursor = tx.execute(sql)
    names = [column[0] for column in cursor.description]
    return (dict(zip(names, row, strict=True)) for row in cursor)


def _old_jobs(tx: Transaction) -> Iterator[OldJob]:
    # The rows are in the order of submission; created_at is when the Job was made.
    for row in _rows(tx, f"SELECT id, dependencies, status, rowid AS {_ROW} FROM {_RENAMED['jobs']} ORDER BY rowid"):
        its = read(row, "dependencies", {}, ids, list[str]())
        yield OldJob(row[_ROW], as_text(row["id"]), its, as_text(row["status"]) in UNFINISHED)


def _copy_jobs(tx: Transaction, found: dict[int, Place]) -> dict[str, History]:
    """Store the jobs, and return by their ids what their executions have to agree with."""
    recorded = _recorded(tx)
    columns = _columns(tx, _RENAMED["jobs"])
    added = [each for each in columns if each not in (*_COLUMNS["jobs"], *_LATER_COLUMNS)]
    histories: dict[str, History] = {}
    for old in _rows(
        tx, f"SELECT *{_null_for_missing(columns)}, rowid AS {_ROW} FROM {_RENAMED['jobs']} ORDER BY rowid"
    ):
        place = found[old[_ROW]]
        job, histories[place.id] = job_from(
            old, place, added=added, recorded=recorded[place.id], now=tx.now, stamp=tx.stamp
        )
        _insert_job(tx, job)
    return histories


def _null_for_missing(columns: list[str]) -> str:
    """Return the SQL of the later columns that a file does not have."""
    return "".join(f", NULL AS {each}" for each in _LATER_COLUMNS if each not in columns)


def _recorded(tx: Transaction) -> Counter[str]:
    """Return how many executions of each job there are."""
    return Counter(as_text(job) for (job,) in tx.execute(f"SELECT job_id FROM {_RENAMED['job_executions']}"))


def _insert_job(tx: Transaction, job: dict[str, Any]) -> None:
    tx.execute(
        """
        INSERT INTO jobs (
               seq, id, name, description, function, args, params, queue, priority, status, blockers, run_at, timeout,
               max_attempts, attempts, retry_delay, retry_backoff, retry_max_delay, retry_jitter, retry_on, no_retry_on,
               pass_parent_results, on_parent_failure, result, error, created_at, updated_at, started_at, completed_at,
               metadata)
        VALUES (:seq, :id, :name, :description, :function, '[]', :params, 'default', :priority, :status, 0, :run_at,
               :timeout, :max_attempts, :attempts, :retry_delay, 1.0, max(:retry_delay, 3600.0), 0.0, '[]', '[]',
               :pass_parent_results, 'cancel', :result, :error, :created_at, :updated_at, :started_at, :completed_at,
               :metadata)
        """,
        job,
    )


def _copy_executions(tx: Transaction, histories: dict[str, History]) -> None:
    tx.executemany(
        """
        INSERT INTO executions (job_seq, attempt, worker_id, worker_seq, status, started_at, completed_at, error)
        VALUES (?, ?, ?, 0, ?, ?, ?, ?)
        """,
        _executions(tx, histories),
    )
    # The old package forgot the worker when an execution had ended.
    tx.execute(
        """
        UPDATE jobs
           SET worker_id = (SELECT worker_id FROM executions WHERE job_seq = jobs.seq ORDER BY id DESC LIMIT 1)
         WHERE attempts > 0
        """
    )


def _executions(tx: Transaction, histories: dict[str, History]) -> Iterator[tuple[Any, ...]]:
    for history in histories.values():
        yield from unrecorded(history)
    before = Counter[str]()
    for old in _rows(tx, f"SELECT * FROM {_RENAMED['job_executions']} ORDER BY rowid"):
        job = as_text(old["job_id"])
        if job in histories:  # when a job was cleared, its executions stayed
            yield execution_from(old, histories[job], position=before[job], stamp=tx.stamp)
            before[job] += 1


def _copy_dependencies(tx: Transaction, found: dict[int, Place]) -> None:
    tx.executemany(
        "INSERT INTO job_dependencies (child, parent, position) VALUES (?, ?, ?)",
        ((place.seq, parent, number) for place in found.values() for number, parent in enumerate(place.parents)),
    )
    tx.execute(
        """
        UPDATE jobs
           SET blockers = (SELECT count(*)
                             FROM job_dependencies JOIN jobs AS parents ON parents.seq = job_dependencies.parent
                            WHERE job_dependencies.child = jobs.seq
                              AND parents.status IN ('pending', 'running'))
         WHERE status = 'pending'
           AND seq IN (SELECT child FROM job_dependencies)
        """
    )


def _cancel_children(tx: Transaction) -> None:
    """Cancel the pending children of jobs that ended badly: the old package let them wait for ever."""
    failed_parents = tx.execute(
        """
        SELECT seq, id, name, status
          FROM jobs
         WHERE status IN ('failed', 'timeout', 'cancelled')
           AND EXISTS (SELECT 1
                         FROM job_dependencies JOIN jobs AS children ON children.seq = job_dependencies.child
                        WHERE job_dependencies.parent = jobs.seq AND children.status = 'pending')
         ORDER BY seq
        """
    ).fetchall()
    for seq, job_id, name, status in failed_parents:
        parent_ended_badly(tx, seq, ended_badly(job_id, name, status))
