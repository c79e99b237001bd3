"""How a queue's file is kept small."""

from __future__ import annotations

from gigq.base import QueueBase
from gigq.clock import Instant, to_instant, to_text
from gigq.status import JobStatus
from gigq.store import upkeep

_DELETED_AT_ONCE = 1000
"""Jobs that one transaction deletes: a few milliseconds, so that workers hardly wait."""


class QueueKeeper(QueueBase):
    """The housekeeping part of a `JobQueue`. Safe to share between threads."""

    def clear_completed(self, before_timestamp: Instant | None = None) -> int:
        """Delete completed and cancelled jobs with their executions, and return how many.

        A job stays while a child of it may still run. One transaction for each 1,000 jobs.

        Args:
            before_timestamp: only those that ended earlier; without a zone it is local time.

        Raises:
            ValueError: it is no instant.
        """
        before = None if before_timestamp is None else to_text(to_instant(before_timestamp))
        statuses = (JobStatus.COMPLETED, JobStatus.CANCELLED)
        total = 0
        while True:
            with self.database.write(self.clock.now()) as tx:
                deleted = upkeep.delete_finished(tx, statuses=statuses, before=before, limit=_DELETED_AT_ONCE)
            total += deleted
            if deleted < _DELETED_AT_ONCE:
                return total
