"""The reasons why a job is not running, or what became of it, as seen from this process."""

from __future__ import annotations

from gigq.errors import JobNotFound
from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.store import why as reasons
from gigq.store import workers
from gigq.store.engine.database import Database


def why(database: Database, job_id: str) -> list[str]:
    """Return the reasons as sentences for people, at least one. One read transaction.

    Raises:
        JobNotFound: no job has this id.
    """
    here = this_process()
    with database.read() as tx:
        gone = certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone)
        found = reasons.why(tx, job_id, gone=gone)
    if found is None:
        raise JobNotFound(job_id)
    return found
