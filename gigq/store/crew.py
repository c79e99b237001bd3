"""The workers in the file as people see them, and the jobs that each of them holds."""

from __future__ import annotations

from collections import defaultdict

from gigq.clock import from_text
from gigq.codec import decode
from gigq.queue_records import HeldJob, WorkerRecord
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import held_job
from gigq.store.tables import OPEN


def records(tx: Transaction) -> list[WorkerRecord]:
    """Return the workers, the oldest first."""
    held = _held(tx)
    return [
        WorkerRecord(
            id=row["id"],
            mode=row["mode"],
            concurrency=row["concurrency"],
            queues=None if row["queues"] is None else tuple(decode(row["queues"])),
            pid=row["pid"],
            running=len(held[row["seq"]]),
            completed=row["completed"],
            failed=row["failed"],
            started_at=from_text(row["started_at"]),
            seen_at=from_text(row["seen_at"]),
            stop=row["stop"],
            missing=decode(row["missing"]),
            trouble=row["trouble"],
            jobs=tuple(held[row["seq"]]),
        )
        for row in tx.rows("SELECT * FROM job_workers ORDER BY seq")
    ]


def _held(tx: Transaction) -> defaultdict[int, list[HeldJob]]:
    """Return the jobs that each worker holds: a few hundred, all workers together."""
    rows = tx.rows(
        f"""
        SELECT executions.worker_seq, executions.attempt, executions.started_at,
               jobs.id, jobs.name, jobs.function, jobs.queue, jobs.timeout, jobs.progress
          FROM executions INDEXED BY executions_open
          JOIN jobs ON jobs.seq = executions.job_seq
         WHERE executions.{OPEN}
         ORDER BY executions.started_at IS NULL, executions.started_at, executions.id
        """
    )
    found: defaultdict[int, list[HeldJob]] = defaultdict(list)
    for row in rows:
        found[row["worker_seq"]].append(held_job(row))
    return found
