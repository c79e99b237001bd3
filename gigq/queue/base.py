"""What all parts of a `JobQueue` have: the open file, and a clock."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from gigq.clock import Clock
from gigq.store.engine.database import Database


class QueueBase:
    """An open queue file. Safe to share between threads, and to keep across a fork; a context manager."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    def close(self) -> None:
        """Close the connections of all threads. The queue cannot be used any more."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
