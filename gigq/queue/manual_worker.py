"""In whose name a process takes jobs by hand."""

from __future__ import annotations

import os
import socket
import threading

from gigq.liveness import WorkerKey, certainly_dead
from gigq.process import is_gone, this_process
from gigq.store import manual, workers
from gigq.store.engine.database import Database, Transaction

_SECONDS_BETWEEN_SWEEPS = 1.0
_CLOSED = "given back: the queue by which it was taken was closed"


class ManualWorker:
    """The process as the file knows it: a worker without a heartbeat.

    Safe to share between the threads of the process that made it; whoever calls `registered` or `sweep` holds the lock.

    Attributes:
        key: its row in the file; None before the first job.
        swept_at: the monotonic time at which it last looked for the dead; None before the first job.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.key: WorkerKey | None = None
        self._process = this_process()
        self.swept_at: float | None = None

    def registered(self, tx: Transaction, worker_id: str | None) -> WorkerKey:
        """Return its row, or enter one where it is missing: others may have taken it out.

        Args:
            worker_id: a name for the new row; by default the host, the process and a few letters.
        """
        if self.key is not None and workers.is_registered(tx, self.key):
            return self.key
        name = worker_id or f"{socket.gethostname()}-{self._process.pid}-{os.urandom(2).hex()}"
        return manual.register(tx, name, self._process)

    def sweep(self, tx: Transaction, *, now: float) -> float:
        """Settle what is overdue by hand, and, once a second, what the certainly dead have left.

        There may be no worker that does it. Returns what `swept_at` is from the commit on.
        """
        manual.time_out(tx)
        if self.swept_at is not None and now - self.swept_at < _SECONDS_BETWEEN_SWEEPS:
            return self.swept_at
        for dead in certainly_dead(workers.heartbeats(tx), here=self._process, is_gone=is_gone):
            workers.expel(tx, dead)
        return now

    def leave(self, database: Database) -> None:
        """Give back what is still held, its attempt not counted, and leave the file. At most one write transaction."""
        with self.lock:
            key, self.key = self.key, None
            if key is not None:
                with database.write() as tx:
                    workers.leave(tx, key, reason=_CLOSED)
