"""Which workers there are, that they live, and what becomes of the jobs of the dead."""

from __future__ import annotations

from collections.abc import Callable

from gigq.liveness import Residence, Sign, WorkerKey
from gigq.records import Report
from gigq.status import ExecutionStatus
from gigq.store.database import Transaction
from gigq.store.settling import settle


def register(tx: Transaction, worker_id: str, home: Residence, *, concurrency: int) -> WorkerKey:
    """Enter a worker. Another one, dead or alive, may bear the same id."""
    row = tx.execute(
        """
        INSERT INTO job_workers (id, heartbeat, concurrency, machine_id, boot_id, pid_namespace, pid, started_at)
        VALUES (?, 0, ?, ?, ?, ?, ?, ?)
        """,
        (worker_id, concurrency, home.machine_id, home.boot_id, home.pid_namespace, home.pid, tx.stamp),
    )
    return WorkerKey(row.lastrowid or 0, worker_id)


def renew(tx: Transaction, worker: WorkerKey) -> set[int] | None:
    """Move the worker's heartbeat on, and return the executions that are still its own.

    What the worker is running and is *not* returned has been taken away (cancelled, or settled as lost): stop it
    and drop its report. None: the worker itself was held dead and struck off; it must register anew.
    """
    beat = tx.execute("UPDATE job_workers SET heartbeat = heartbeat + 1 WHERE seq = ?", (worker.seq,))
    return set(_open_executions(tx, worker)) if beat.rowcount else None


def signs(tx: Transaction) -> list[Sign]:
    """Return what the file shows of every worker."""
    rows = tx.execute("SELECT seq, id, heartbeat, machine_id, boot_id, pid_namespace, pid FROM job_workers")
    return [
        Sign(
            key=WorkerKey(seq, worker_id),
            heartbeat=heartbeat,
            residence=Residence(machine_id=machine, boot_id=boot, pid_namespace=namespace, pid=pid),
        )
        for seq, worker_id, heartbeat, machine, boot, namespace, pid in rows
    ]


def strike_off(tx: Transaction, dead: WorkerKey, *, chance: Callable[[], float]) -> int:
    """Settle what a dead worker was running as lost, forget the worker, and return how many jobs that were."""
    report = Report(status=ExecutionStatus.LOST, error=f"its worker {dead.id} died")
    return _end(tx, dead, report, chance=chance)


def resign(tx: Transaction, worker: WorkerKey, *, reason: str) -> int:
    """Give back what a worker still runs, the attempts not counted, forget the worker, and return how many jobs."""
    return _end(tx, worker, Report(status=ExecutionStatus.RELEASED, error=reason), chance=lambda: 0.0)


def _end(tx: Transaction, worker: WorkerKey, report: Report, *, chance: Callable[[], float]) -> int:
    executions = _open_executions(tx, worker)
    for execution in executions:
        settle(tx, execution, report, chance=chance())
    tx.execute("DELETE FROM job_workers WHERE seq = ?", (worker.seq,))
    return len(executions)


def _open_executions(tx: Transaction, worker: WorkerKey) -> list[int]:
    found = tx.execute("SELECT id FROM executions WHERE worker_seq = ? AND status = 'running'", (worker.seq,))
    return [execution for (execution,) in found.fetchall()]
