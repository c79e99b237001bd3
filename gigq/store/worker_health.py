"""The health of the workers, as far as one look can tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from gigq.clock import from_text
from gigq.codec import decode
from gigq.liveness import WorkerKey
from gigq.store.engine.transaction import Transaction
from gigq.store.queues import MARK
from gigq.store.tables import OPEN

SILENCE = 15.0
"""Seconds without a heartbeat after which a worker seems dead; there is at least one a second.

The default of a worker's `lease`. It is measured by the wall clock, for people; a worker that settles the jobs
of a dead one goes by its own monotonic time.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHealth:
    """A worker, or a program that claims jobs manually.

    Attributes:
        queues: the queues that it serves; None for all.
        handlers: the names of its handlers.
        missing: the functions that it does not find, and why.
        trouble: why it can start no job at present; None if it can.
        running: how many jobs it holds.
        silence: seconds since its last heartbeat; 0 where nobody moves it.
        is_gone: its process has certainly ended.
    """

    key: WorkerKey
    mode: str
    queues: Collection[str] | None
    handlers: Collection[str]
    missing: Mapping[str, str]
    trouble: str | None
    concurrency: int
    running: int
    is_stopping: bool
    seen_at: datetime
    silence: float
    is_gone: bool

    @property
    def is_alive(self) -> bool:
        """Whether it seems to be alive."""
        return not self.is_gone and self.silence <= SILENCE

    @property
    def is_manual(self) -> bool:
        """Whether it is a program that claims jobs itself."""
        return self.mode == "manual"

    def serves(self, queue: str) -> bool:
        """Whether it claims jobs from a queue."""
        is_served = MARK not in queue if self.queues is None else queue in self.queues
        return is_served and not self.is_manual


def health(tx: Transaction, *, gone: Collection[WorkerKey]) -> list[WorkerHealth]:
    """Return all workers in the file, the oldest first.

    Args:
        gone: the workers whose process has certainly ended.
    """
    rows = tx.rows(
        f"""
        SELECT *, (SELECT count(*)
                     FROM executions INDEXED BY executions_open
                    WHERE {OPEN} AND worker_seq = job_workers.seq) AS running
          FROM job_workers
         ORDER BY seq
        """
    )
    return [
        WorkerHealth(
            key=(key := WorkerKey(row["seq"], row["id"])),
            mode=row["mode"],
            queues=None if row["queues"] is None else decode(row["queues"]),
            handlers=decode(row["handlers"]),
            missing=decode(row["missing"]),
            trouble=row["trouble"],
            concurrency=row["concurrency"],
            running=row["running"],
            is_stopping=row["stop"] is not None,
            seen_at=(seen_at := from_text(row["seen_at"])),
            silence=0.0 if row["mode"] == "manual" else (tx.now - seen_at).total_seconds(),
            is_gone=key in gone,
        )
        for row in rows
    ]
