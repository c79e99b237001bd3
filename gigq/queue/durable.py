"""The file of a queue as a running job reads and writes it, in whatever process that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial

from gigq.claims import Claim
from gigq.clock import SystemClock
from gigq.runtime.durable import JobStore, Opener
from gigq.steps import RememberedStep, Step
from gigq.store import fencing, steps
from gigq.store.engine.connections import Durability
from gigq.store.engine.database import Database
from gigq.store.engine.files import MEMORY
from gigq.store.engine.job_database import JobDatabase
from gigq.store.engine.transaction import Transaction
from gigq.store.schema import reopened


def opener(database: Database) -> Opener:
    """Return what opens the file of this database for one execution after the other."""
    return partial(_Store, database)


def opened_at(claim: Claim, *, path: str, durability: Durability) -> JobStore:
    """Open a file for one execution in a child process, which knows only its path.

    Raises:
        NotAQueue: there is no such file any more.
    """
    return _Store(_database(path, durability), claim)


@cache
def _database(path: str, durability: Durability) -> Database:
    return reopened(path, durability=durability, clock=SystemClock())


class _Store:
    """As `JobStore`. Its connection is its own, for the settings of the pool's belong to the queue."""

    def __init__(self, database: Database, claim: Claim) -> None:
        is_in_memory = database.path == MEMORY
        self._own = None if is_in_memory else JobDatabase(database)
        self._database = self._own or database
        self._claim = claim

    def recall(self, name: str, occurrence: int) -> RememberedStep | None:
        with self._database.read() as tx:
            return steps.recall(tx, self._claim.job_seq, name, occurrence)

    def remember(self, step: Step) -> None:
        with self._write() as tx:
            steps.remember(tx, self._claim.job_seq, self._claim.execution_id, step)

    def close(self) -> None:
        if self._own is not None:
            self._own.close()

    @contextmanager
    def _write(self) -> Iterator[Transaction]:
        """Take the write lock, and see that the execution is still open.

        Raises:
            LeaseLost: it is not.
        """
        with self._database.write() as tx:
            fencing.must_own(tx, self._claim)
            yield tx
