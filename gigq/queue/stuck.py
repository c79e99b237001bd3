"""What a recovery would take back: the jobs that dead workers hold, and those that have been running for long."""

from __future__ import annotations

from datetime import datetime

from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.queue_records import HeldJob
from gigq.store import crew, workers
from gigq.store.engine.database import Database


def stuck(database: Database, *, before: datetime | None) -> list[HeldJob]:
    """Return the jobs that `JobQueue.requeue_stuck` would take from their workers now.

    Not among them are jobs in manual consumption whose time is over, which it settles too.

    Args:
        before: also what has been running since before this instant.
    """
    here = this_process()
    with database.read() as tx:
        found = crew.records(tx, gone=certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone))
    return [
        job
        for worker in found
        for job in worker.jobs
        if worker.state == "dead" or (before is not None and job.started_at is not None and job.started_at < before)
    ]
