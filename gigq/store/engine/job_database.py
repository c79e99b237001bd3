"""The file as one running job writes it."""

from __future__ import annotations

import threading

from gigq.store.engine.database import Database
from gigq.store.engine.forking import PROCESS


class JobDatabase(Database):
    """A file through a connection that belongs to one execution of a job, and that its threads take turns to use.

    The connection is opened by the first transaction. Not for a queue in memory, which has only one.

    Args:
        database: the file of the worker, or of the queue.
    """

    def __init__(self, database: Database) -> None:
        self.__dict__ |= database.__dict__
        self._pool = database._pool.for_one_job()
        self._turn = self._own_turn = threading.RLock()

    def close(self) -> None:
        """Close the connection, if there is one. Waits for no thread but those of the job."""
        with PROCESS.passage(), self._own_turn:
            self._pool.discard()
