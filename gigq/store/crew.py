"""The workers in the file as people see them, and the jobs that each of them holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from gigq.clock import from_text
from gigq.codec import decode
from gigq.liveness import WorkerKey
from gigq.queue_records import HeldJob, WorkerRecord
from gigq.store.engine.transaction import Transaction
from gigq.store.rows import held_job
from gigq.store.tables import OPEN
from gigq.store.worker_health import WorkerHealth, health


def records(tx: Transaction, *, gone: Collection[WorkerKey]) -> list[WorkerRecord]:
    """Return the workers, the oldest first.

    Args:
        gone: the workers whose process has certainly ended.
    """
    held, states = _held(tx), {each.key.seq: _state(each) for each in health(tx, gone=gone)}
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
            state=states[row["seq"]],
        )
        for row in tx.rows("SELECT * FROM job_workers ORDER BY seq")
    ]


def _state(worker: WorkerHealth) -> str:
    if worker.is_gone:
        return "dead"
    if worker.is_manual:
        return "manual"
    if not worker.is_alive:
        return "silent"
    return "stopping" if worker.is_stopping else "stuck" if worker.trouble is not None else "alive"


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
