"""How a queue's file is kept small."""

from __future__ import annotations

from collections.abc import Iterable

from gigq.clock import Duration, Instant, to_instant
from gigq.queue.base import QueueBase
from gigq.queue.pruning import USUAL, Pruning, prune


class QueueKeeper(QueueBase):
    """The housekeeping part of a `JobQueue`. Safe to share between threads."""

    def prune(
        self, status: str | Iterable[str] = USUAL, *, older_than: Duration | None = None, keep: int | None = None
    ) -> int:
        """Delete finished jobs with their executions, the oldest first, and return how many.

        A job stays while a child of it stays that has not completed: it may still run. One transaction for each 200
        jobs; what earlier ones deleted stays deleted if a later one fails. Then most of the space that is free in the
        file is given back, in steps of a few milliseconds.

        Args:
            status: one or several of completed, cancelled, failed and timeout.
            older_than: only those that ended more than so many seconds ago.
            keep: not the newest so many, all these statuses counted together. With `older_than`, both must hold.

        Raises:
            ValueError: a status that is not one of a finished job, or a number that cannot be.
        """
        return self._prune(Pruning.of(status, older_than=older_than, keep=keep, now=self.clock.now()))

    def clear_completed(self, before_timestamp: Instant | None = None) -> int:
        """Delete completed and cancelled jobs as `prune` does, and return how many.

        Args:
            before_timestamp: only those that ended earlier; without a zone it is local time.

        Raises:
            ValueError: it is no instant.
        """
        return self._prune(Pruning(before=None if before_timestamp is None else to_instant(before_timestamp)))

    def _prune(self, pruning: Pruning) -> int:
        return sum(prune(self.database, pruning))
