"""What was: the executions of a queue, what they cost, why they failed, and what people did."""

from __future__ import annotations

from gigq import checks
from gigq.clock import Clock
from gigq.history_records import ActionRecord
from gigq.store import actions
from gigq.store.engine.database import Database


class History:
    """The history of a queue: ``queue.history``. It is what the file holds, so no worker has to run, and nothing of it
    is lost when a program ends; what was pruned or deleted is gone.

    Safe to share between threads. Every method is one read.

    Example:
        >>> from gigq import JobQueue
        >>> with JobQueue(":memory:") as queue, queue.acting_as("ada"):
        ...     paused = queue.pause("mail")
        ...     [(action.actor, action.verb) for action in queue.history.actions()]
        [('ada', 'pause')]
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def actions(self, limit: int | None = 50) -> list[ActionRecord]:
        """Return what people did to the queue, the newest first: see `JobQueue.acting_as`.

        Args:
            limit: the most to return; None for all that are kept, which are the last 1,000.

        Raises:
            ValueError: an invalid limit.
        """
        most = checks.optional(limit, "limit", checks.count)
        with self._database.read() as tx:
            return actions.records(tx, limit=most)
