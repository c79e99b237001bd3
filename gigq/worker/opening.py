"""Open the file that a worker serves."""

from __future__ import annotations

import os

from gigq.clock import Clock
from gigq.queue.job_queue import JobQueue
from gigq.store.engine.connections import Durability
from gigq.store.engine.database import Database
from gigq.store.engine.files import MEMORY, plain_path
from gigq.store.schema import open_queue

_LONGEST_PAUSE = 0.004
"""Seconds between two attempts to get the write lock. Longer than for other writers, which have callers waiting."""


def opened(source: str | os.PathLike[str] | JobQueue, durability: Durability, clock: Clock) -> Database:
    """Open a file, or that of a queue.

    Raises:
        ValueError: the queue is in memory.
    """
    path = source.db_path if isinstance(source, JobQueue) else source
    if plain_path(path) == MEMORY:
        raise ValueError("a worker needs a file; run the jobs of a queue in memory with gigq.testing.drain(queue)")
    return open_queue(
        path, initialize=True, timeout=30.0, durability=durability, clock=clock, longest_pause=_LONGEST_PAUSE
    )
