"""What the file of a queue is: its sizes, its pages, its versions, and how much it holds."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from gigq.clock import from_text
from gigq.health_records import QueueInfo
from gigq.store import reading
from gigq.store.engine import files
from gigq.store.engine.transaction import Transaction
from gigq.version import VERSION


def file_facts(tx: Transaction, path: str) -> QueueInfo:
    """Return what the file is. It counts the jobs by status, which reads an index of all of them."""
    page_size, pages = tx.value("PRAGMA page_size"), tx.value("PRAGMA page_count")
    is_in_memory = path == files.MEMORY
    return QueueInfo(
        path=path,
        size=page_size * pages if is_in_memory else files.size(path),
        log_size=0 if is_in_memory else files.size(f"{path}-wal"),
        page_size=page_size,
        pages=pages,
        free_pages=tx.value("PRAGMA freelist_count"),
        disk_free=None if is_in_memory else files.room(path),
        written_at=None if is_in_memory else files.written_at(path, f"{path}-wal"),
        journal_mode=tx.value("PRAGMA journal_mode"),
        schema_version=tx.value("SELECT max(version) FROM job_schema"),
        sqlite_version=sqlite3.sqlite_version,
        gigq_version=VERSION,
        oldest_job_at=_submitted(tx, "SELECT created_at FROM jobs ORDER BY seq LIMIT 1"),
        newest_job_at=_submitted(tx, "SELECT created_at FROM jobs ORDER BY seq DESC LIMIT 1"),
        statuses=reading.statuses(tx),
        claims=tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'executions'") or 0,
        workers=tx.value("SELECT count(*) FROM job_workers"),
        schedules=tx.value("SELECT count(*) FROM job_schedules"),
        workflows=tx.value("SELECT count(*) FROM job_workflows"),
    )


def _submitted(tx: Transaction, sql: str) -> datetime | None:
    found = tx.value(sql)
    return None if found is None else from_text(found)
