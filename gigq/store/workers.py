"""The workers in the file: registration, heartbeats, requests to them, and the jobs of the dead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from gigq.clock import to_text
from gigq.codec import encode
from gigq.liveness import Heartbeat, ProcessIdentity, WorkerKey
from gigq.reports import Report
from gigq.store.engine.transaction import Transaction
from gigq.store.missing import forget_the_unwanted
from gigq.store.settling import settle
from gigq.store.tables import OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What others have decided about a worker.

    Attributes:
        own: the executions that are still its own. Any other that it is running was taken away (cancelled, or settled
            as lost): it must stop that, and drop its report.
        concurrency: how many slots it is asked to have, or None.
        stop: ``graceful`` or ``now`` if it is asked to stop, or None.
    """

    own: Collection[int]
    concurrency: int | None
    stop: str | None


def register(
    tx: Transaction,
    worker_id: str,
    process: ProcessIdentity,
    *,
    concurrency: int,
    mode: str = "thread",
    queues: Sequence[str] | None = None,
    handlers: Sequence[str] = (),
) -> WorkerKey:
    """Register a worker. Another one, dead or alive, may have the same id."""
    row = tx.execute(
        """
        INSERT INTO job_workers (
               id, heartbeat, mode, concurrency, queues, handlers, machine_id, boot_id, pid_namespace, pid,
               started_at, seen_at)
        VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            worker_id,
            mode,
            concurrency,
            None if queues is None else encode(list(queues), name="queues", limit=1_000_000),
            encode(list(handlers), name="handlers", limit=1_000_000),
            process.machine_id,
            process.boot_id,
            process.pid_namespace,
            process.pid,
            tx.stamp,
            tx.stamp,
        ),
    )
    return WorkerKey(row.lastrowid or 0, worker_id)


def renew(
    tx: Transaction, worker: WorkerKey, *, completed: int = 0, failed: int = 0, trouble: str | None = None
) -> None:
    """Advance the worker's heartbeat, add to its counts, and write why it can start no job, if that is so."""
    tx.execute(
        """
        UPDATE job_workers
           SET heartbeat = heartbeat + 1, seen_at = ?, completed = completed + ?, failed = failed + ?,
               concurrency = coalesce(wanted_concurrency, concurrency), trouble = ?
         WHERE seq = ?
        """,
        (tx.stamp, completed, failed, trouble, worker.seq),
    )


def is_registered(tx: Transaction, worker: WorkerKey) -> bool:
    """Whether the worker is registered, so that the others watch it."""
    return tx.value("SELECT 1 FROM job_workers WHERE seq = ?", (worker.seq,)) is not None


def standing(tx: Transaction, worker: WorkerKey) -> Standing | None:
    """Return what others have decided about a worker; None if it was expelled as dead, and must register again."""
    row = tx.execute("SELECT wanted_concurrency, stop FROM job_workers WHERE seq = ?", (worker.seq,)).fetchone()
    if row is None:
        return None
    return Standing(own={execution for execution, _, _ in _held(tx, worker)}, concurrency=row[0], stop=row[1])


def heartbeats(tx: Transaction) -> list[Heartbeat]:
    """Return the heartbeats of all workers. Nobody moves that of a worker of mode ``manual``."""
    rows = tx.execute(
        """
        SELECT seq, id, CASE WHEN mode <> 'manual' THEN heartbeat END, machine_id, boot_id, pid_namespace, pid
          FROM job_workers
        """
    )
    return [
        Heartbeat(
            key=WorkerKey(seq, worker_id),
            counter=counter,
            process=ProcessIdentity(machine_id=machine, boot_id=boot, pid_namespace=namespace, pid=pid),
        )
        for seq, worker_id, counter, machine, boot, namespace, pid in rows
    ]


def scale(tx: Transaction, concurrency: int, *, worker_id: str | None) -> int:
    """Ask one worker, or all, to have this many slots, and return how many workers were asked."""
    tx.has_news = True
    asked = tx.execute(
        "UPDATE job_workers SET wanted_concurrency = ? WHERE mode <> 'manual' AND coalesce(id = ?, 1)",
        (concurrency, worker_id),
    )
    return asked.rowcount


def stop(tx: Transaction, *, is_graceful: bool, worker_id: str | None) -> int:
    """Ask one worker, or all, to stop; return how many were asked. A graceful stop does not soften a stop now."""
    tx.has_news = True
    asked = tx.execute(
        """
        UPDATE job_workers
           SET stop = CASE WHEN stop = 'now' THEN stop ELSE ? END
         WHERE mode <> 'manual' AND coalesce(id = ?, 1)
        """,
        ("graceful" if is_graceful else "now", worker_id),
    )
    return asked.rowcount


def expel(tx: Transaction, dead: WorkerKey) -> int:
    """Settle the executions of a dead worker, delete its row, and return how many there were.

    Those that had begun are lost, and the attempt counts; those that were only claimed ahead are released.
    """
    lost = Report.lost(f"its worker {dead.id} died")
    released = Report.released(f"given back: its worker {dead.id} died before it began", has_begun=False)
    held = _held(tx, dead)
    for execution, job, started_at in held:
        settle(tx, execution, released if started_at is None else lost)
        tx.execute("UPDATE jobs SET crashes = crashes + 1 WHERE seq = ?", (job,))
    _forget(tx, dead)
    return len(held)


def reclaim(tx: Transaction, *, before: datetime) -> int:
    """Settle as lost the executions that began before an instant and still run, and return how many there were."""
    report = Report.lost("taken from its worker by a person")
    old = tx.execute(
        f"SELECT id FROM executions WHERE {OPEN} AND started_at < ?", (to_text(before),)
    ).fetchall()
    for (execution,) in old:
        settle(tx, execution, report)
    tx.has_news |= bool(old)
    return len(old)


def leave(tx: Transaction, worker: WorkerKey, *, reason: str) -> bool:
    """Give back what a worker still holds, without counting the attempts, and delete its row.

    Returns:
        Whether it was the last one that listened to the bell.
    """
    for execution, _, _ in _held(tx, worker):
        settle(tx, execution, Report.released(reason))
    _forget(tx, worker)
    forget_the_unwanted(tx)
    return tx.value("SELECT 1 FROM job_workers WHERE mode <> 'manual' LIMIT 1") is None


def begun(tx: Transaction, worker: WorkerKey) -> list[int]:
    """Return the open executions of a worker whose functions have been called."""
    return [execution for execution, _, started_at in _held(tx, worker) if started_at is not None]


def _held(tx: Transaction, worker: WorkerKey) -> list[tuple[int, int, str | None]]:
    """Return the open executions of a worker, their jobs, and when their functions were called."""
    # All workers together hold a few hundred at most. An index by worker would cost every claim and settlement 5 %.
    return tx.execute(
        f"""
        SELECT id, job_seq, started_at
          FROM executions INDEXED BY executions_open
         WHERE {OPEN} AND worker_seq = :worker
        """,
        {"worker": worker.seq},
    ).fetchall()


def _forget(tx: Transaction, worker: WorkerKey) -> None:
    tx.execute("DELETE FROM job_workers WHERE seq = ?", (worker.seq,))
