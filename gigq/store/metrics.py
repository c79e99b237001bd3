"""The figures of a queue: how much there is of everything. Its speed is measured in `windows`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from gigq.liveness import WorkerKey
from gigq.queue_records import QueueRecord
from gigq.status import FINISHED, Phase
from gigq.store import queues, reading, windows
from gigq.store.engine.transaction import Transaction
from gigq.store.tables import OPEN, READY, phase_of
from gigq.store.worker_health import health


def metrics(tx: Transaction, *, gone: Collection[WorkerKey]) -> dict[str, Any]:
    """Return the figures of a queue, as plain values that JSON can hold.

    Args:
        gone: the workers whose process has certainly ended.
    """
    records = queues.records(tx)
    statuses = reading.statuses(tx)
    return {
        "at": tx.stamp,
        "statuses": statuses,
        "phases": phases(tx, records, statuses),
        "queues": {record.name: _queue(tx, record) for record in records},
        "priorities": {str(priority): number for priority, number in _priorities(tx)},
        "windows": windows.windows(tx),
        "claims": tx.value("SELECT seq FROM sqlite_sequence WHERE name = 'executions'") or 0,
        "workers": _workers(tx, gone),
    }


def phases(tx: Transaction, records: Iterable[QueueRecord], statuses: dict[str, int]) -> dict[str, int]:
    """Return how many jobs there are in each phase.

    Args:
        records: the queues.
        statuses: how many jobs there are of each status.
    """
    due = _due_phases(tx)
    found = Counter(due) + Counter(running_phases(tx))
    for record in records:
        found["paused" if record.is_paused else "ready"] += record.ready
    # Jobs that are neither ready nor due wait for parents, and are in no index.
    found["waiting"] += statuses["pending"] - sum(due.values()) - sum(record.ready for record in records)
    return {phase.value: found[phase] if phase in _UNFINISHED else statuses[phase] for phase in Phase}


def running_phases(tx: Transaction) -> dict[str, int]:
    """Return how many claimed jobs there are in each phase."""
    rows = tx.execute(
        f"""
        SELECT {phase_of(":now")}, count(*)
          FROM jobs
         WHERE seq IN (SELECT job_seq FROM executions INDEXED BY executions_open WHERE {OPEN})
         GROUP BY 1
        """,
        {"now": tx.stamp},
    )
    return dict(rows.fetchall())


def _due_phases(tx: Transaction) -> dict[str, int]:
    rows = tx.execute(
        f"""
        SELECT {phase_of(":now")}, count(*)
          FROM jobs INDEXED BY jobs_due
         WHERE status = 'pending' AND run_at IS NOT NULL
         GROUP BY 1
        """,
        {"now": tx.stamp},
    )
    return dict(rows.fetchall())


_UNFINISHED = tuple(phase for phase in Phase if phase.value not in FINISHED)


def _queue(tx: Transaction, record: QueueRecord) -> dict[str, Any]:
    oldest = record.oldest_ready_at
    return {
        "ready": record.ready,
        "scheduled": record.scheduled,
        "running": record.running,
        "is_paused": record.is_paused,
        "oldest_ready_age": None if oldest is None else max(0.0, (tx.now - oldest).total_seconds()),
    }


def _priorities(tx: Transaction) -> list[tuple[int, int]]:
    return tx.execute(
        f"""
        SELECT priority, count(*)
          FROM jobs
         WHERE {READY}
         GROUP BY priority
         ORDER BY priority DESC
        """
    ).fetchall()


def _workers(tx: Transaction, gone: Collection[WorkerKey]) -> dict[str, int]:
    workers = [each for each in health(tx, gone=gone) if not each.is_manual]
    living = [each for each in workers if each.is_alive]
    busy = sum(each.running > 0 for each in living)
    return {
        "total": len(workers),
        "idle": len(living) - busy,
        "busy": busy,
        "lost": len(workers) - len(living),
        "slots": sum(each.concurrency for each in living),
    }
