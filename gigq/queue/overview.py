"""What a queue shows of itself in a notebook: how much there is of what, who works, and what is wrong."""

from __future__ import annotations

from gigq.drawing.queue_card import Overview, WorkerRow
from gigq.queue import reasons
from gigq.store import overview as store
from gigq.store.engine.database import Database
from gigq.store.worker_health import WorkerHealth


def overview(database: Database) -> Overview:
    """Return what is to be shown. One read transaction, which takes a moment however many jobs there are.

    Raises:
        StoreError: the file cannot be read.
    """
    with database.read() as tx:
        found, waiting = store.overview(tx), reasons.look(tx)
    return Overview(
        path=database.path,
        at=found.at,
        phases=found.phases,
        most=None if found.are_all_counted else store.MOST,
        queues=found.queues,
        workers=[_row(each) for each in waiting.workers if not each.is_manual],
        problems=[reason.text for reason in reasons.reasons(waiting)],
        calm=reasons.calm(waiting),
    )


def _row(worker: WorkerHealth) -> WorkerRow:
    return WorkerRow(worker.key.id, _state(worker), worker.running, worker.concurrency, worker.silence)


def _state(worker: WorkerHealth) -> str:
    if worker.is_gone:
        return "dead: its process has ended"
    if not worker.is_alive:
        return "silent"
    if worker.trouble is not None:
        return f"can start no job: {worker.trouble}"
    return "stopping" if worker.is_stopping else ""
