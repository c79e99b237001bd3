"""The queue as people hold it: checks, names functions, encodes, stores, and waits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from gigq.clock import Clock, Duration, SystemClock, to_seconds
from gigq.codec import PARAMS_LIMIT
from gigq.job import Job, Submittable
from gigq.liveness import certainly_dead
from gigq.process import is_gone, this_process
from gigq.queue.analyst import QueueAnalyst
from gigq.queue.consumer import QueueConsumer
from gigq.queue.keeper import QueueKeeper
from gigq.queue.preparing import admit
from gigq.queue.reader import QueueReader
from gigq.queue.regulator import QueueRegulator
from gigq.queue.schedules import Schedules
from gigq.queue.steerer import QueueSteerer
from gigq.store import manual, submitting, workers
from gigq.store.engine.connections import Durability
from gigq.store.schema import open_queue

_A_CENTURY = 36_525 * 86_400.0
_MOST_SLOTS = 10_000


class JobQueue(QueueReader, QueueAnalyst, QueueSteerer, QueueRegulator, QueueKeeper, QueueConsumer):
    """A queue of jobs in one SQLite file.

    Safe to share between threads, and to keep across a fork. Every method is one transaction unless it says otherwise,
    and what it did is on disk when it returns. Use it as a context manager, or call `close`.

    Args:
        db_path: a path, a ``sqlite:///`` URL, or ``":memory:"``.
        initialize: create the file and its tables where they are missing. False only connects.
        timeout: seconds to wait for another writer before `QueueBusy`.
        durability: ``"full"`` survives power loss; ``"normal"`` does not wait for the disk, and may lose the last
            moments before a power loss (not before a crash of the process).
        params_limit: the most bytes that the arguments of a job may have as JSON.
        clock: where time comes from; for tests.

    Raises:
        NotAQueue: the file is not a queue, or there is none and `initialize` is False.
        StoreError: the file cannot be opened or created.
    """

    def __init__(
        self,
        db_path: str | os.PathLike[str],
        initialize: bool = True,
        *,
        timeout: Duration = 30.0,
        durability: Durability = "full",
        params_limit: int = PARAMS_LIMIT,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        database = open_queue(
            db_path, initialize=initialize, timeout=to_seconds(timeout), durability=durability, clock=clock
        )
        super().__init__(database, clock)
        self._params_limit = params_limit
        self._schedules = Schedules(self, params_limit=params_limit)

    @property
    def schedules(self) -> Schedules:
        """The rules that submit jobs at certain times."""
        return self._schedules

    # submit

    def submit(self, job: Job) -> str:
        """Store a job, and return its id. Once it has returned, the job is not lost.

        The same id a second time stores nothing; nor does a `unique_key` that an unfinished job has, whose id is
        returned.

        Raises:
            InvalidJob: the job cannot be stored, with the reason; nothing was stored. Its subclasses tell more:
                NotImportable, NotSerializable, UnknownParent.
            QueueBusy, StoreError: nothing was stored.
        """
        return self.submit_many([job])[0]

    def submit_many(self, jobs: Iterable[Job]) -> list[str]:
        """Store jobs, parents before their children, and return their ids: all of them, or none. Raises as `submit`.

        It is one transaction whatever their number. 100,000 jobs hold the write lock for one to two seconds; give
        more than that in several calls.
        """
        new = [admit(job, limit=self._params_limit) for job in jobs]
        if new:
            with self.database.write() as tx:
                return submitting.submit(tx, new)
        return []

    def enqueue(self, function: Callable[..., Any] | Submittable | str, /, *args: Any, **params: Any) -> str:
        """Submit a plain call, and return the job's id. A task keeps its options; others are `task(f, priority=…)`.

        Raises:
            As `submit`.
        """
        if not isinstance(function, str) and hasattr(function, "to_job"):
            return self.submit(function.to_job(*args, **params))
        name = function if isinstance(function, str) else getattr(function, "__name__", repr(function))
        return self.submit(Job(name, function, params, args=args))

    # workers

    def scale(self, concurrency: int, worker_id: str | None = None) -> int:
        """Ask one worker, or all, to have so many slots, and return how many were asked. They obey within a second.

        Raises:
            ValueError: it is not a whole number from 1 to 10,000.
        """
        if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= _MOST_SLOTS:
            raise ValueError(f"concurrency is {concurrency!r}; it must be a whole number from 1 to {_MOST_SLOTS:,}")
        with self.database.write() as tx:
            return workers.scale(tx, concurrency, worker_id=worker_id)

    def stop_workers(self, worker_id: str | None = None, *, graceful: bool = True) -> int:
        """Ask one worker, or all, to stop, and return how many were asked. They obey within a second.

        Args:
            graceful: running jobs get the worker's `shutdown_timeout`; otherwise they are given back at once.
        """
        with self.database.write() as tx:
            return workers.stop(tx, is_graceful=graceful, worker_id=worker_id)

    def requeue_stuck(self, older_than: Duration | None = None) -> int:
        """Settle as lost what workers hold that are certainly dead, and return how many jobs that were.

        What was taken by hand and has been held for longer than its timeout is settled too, as timeout.

        Args:
            older_than: also what has been running for so many seconds, whether its worker lives or not. The function
                may still run, so this is a person's decision.
        """
        with self.database.write() as tx:
            dead = certainly_dead(workers.heartbeats(tx), here=this_process(), is_gone=is_gone)
            jobs = sum(workers.expel(tx, each) for each in dead)
            jobs += manual.time_out(tx)
            if older_than is not None:
                before = tx.now - timedelta(seconds=min(to_seconds(older_than), _A_CENTURY))
                jobs += workers.reclaim(tx, before=before)
        return jobs
