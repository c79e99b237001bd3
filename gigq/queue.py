"""The queue as people hold it: checks, names functions, encodes, stores, and waits."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from gigq.admission import admit
from gigq.clock import Clock, Duration, Instant, SystemClock, to_instant, to_seconds, to_text
from gigq.codec import PARAMS_LIMIT
from gigq.job import Job, Submittable
from gigq.liveness import Watch
from gigq.reader import QueueReader
from gigq.runtime.residence import is_gone, residence
from gigq.status import JobStatus
from gigq.store import steering, submitting, upkeep, workers
from gigq.store.connections import Durability
from gigq.store.schema import open_queue

_A_DAY = 86_400.0
_A_CENTURY = 36_525 * _A_DAY
_MOST_SLOTS = 10_000

_DELETED_AT_ONCE = 1000
"""Jobs that one transaction of `clear_completed` deletes: a few milliseconds, so that workers hardly wait."""


class JobQueue(QueueReader):
    """A queue of jobs in one SQLite file.

    Safe to share between threads, and to keep across a fork. Every method is one transaction unless it says otherwise,
    and what it did is on disk when it returns. Use it as a context manager, or call `close`.

    Args:
        db_path: a path, a ``sqlite:///`` URL, or ``":memory:"``.
        initialize: create the file and its tables where they are missing. False only connects.
        timeout: seconds to wait for another writer before `QueueBusy`.
        durability: ``"full"`` survives power loss; ``"normal"`` is about eight times as fast, and may lose
            the last moments before a power loss (not before a crash of the process).
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
            db_path, initialize=initialize, timeout=to_seconds(timeout), durability=durability, now=clock.now()
        )
        super().__init__(database, clock)
        self._params_limit = params_limit

    # submit

    def submit(self, job: Job) -> str:
        """Store a job, and return its id. Once it has returned, the job is not lost.

        The same id a second time stores nothing.

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
            with self.database.write(self.clock.now()) as tx:
                submitting.submit(tx, new)
        return [job.id for job in new]

    def enqueue(self, function: Callable[..., Any] | Submittable | str, /, *args: Any, **params: Any) -> str:
        """Submit a plain call, and return the job's id. A task keeps its options; others are `task(f, priority=…)`.

        Raises:
            As `submit`.
        """
        if not isinstance(function, str) and hasattr(function, "to_job"):
            return self.submit(function.to_job(*args, **params))
        name = function if isinstance(function, str) else getattr(function, "__name__", repr(function))
        return self.submit(Job(name, function, params, args=args))

    # steer

    def cancel(self, job_id: str, *, running: bool = False) -> bool:
        """Cancel a pending job, and the descendants that need it. False, and nothing done, for any other.

        Args:
            running: cancel it also if it runs. Its status is ``cancelled`` at once; its function is interrupted by
                `JobCancelled` in a thread, or its process is stopped, within moments.
        """
        with self.database.write(self.clock.now()) as tx:
            return steering.cancel(tx, job_id, running=running)

    def requeue_job(self, job_id: str, *, delay: Duration = 0) -> bool:
        """Send a failed, timed-out or cancelled job back, its attempts reset and its error cleared.

        Descendants that were cancelled because of it come back with it.

        Args:
            delay: seconds before it may run.

        Returns:
            False, and nothing done, for any other job, and for one whose parent ended badly: requeue that parent.
        """
        with self.database.write(self.clock.now()) as tx:
            return steering.requeue(tx, job_id, delay=to_seconds(delay))

    # workers

    def scale(self, concurrency: int, worker_id: str | None = None) -> int:
        """Ask one worker, or all, to have so many slots, and return how many were asked. They obey within a second.

        Raises:
            ValueError: it is not a whole number from 1 to 10,000.
        """
        if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= _MOST_SLOTS:
            raise ValueError(f"concurrency is {concurrency!r}; it must be a whole number from 1 to {_MOST_SLOTS:,}")
        with self.database.write(self.clock.now()) as tx:
            return workers.scale(tx, concurrency, worker_id=worker_id)

    def stop_workers(self, worker_id: str | None = None, *, graceful: bool = True) -> int:
        """Ask one worker, or all, to stop, and return how many were asked. They obey within a second.

        Args:
            graceful: running jobs get the worker's `shutdown_timeout`; otherwise they are given back at once.
        """
        with self.database.write(self.clock.now()) as tx:
            return workers.stop(tx, is_graceful=graceful, worker_id=worker_id)

    def requeue_stuck(self, older_than: Duration | None = None) -> int:
        """Settle as lost what workers hold that are certainly dead, and return how many jobs that were.

        Args:
            older_than: also what has been running for so many seconds, whether its worker lives or not. The function
                may still run, so this is a person's decision.
        """
        with self.database.write(self.clock.now()) as tx:
            # At a first look none is dead by silence, but only who certainly is.
            dead = Watch(residence(), lease=_A_DAY).dead(workers.signs(tx), now=0.0, is_gone=is_gone)
            jobs = sum(workers.strike_off(tx, each, chance=random.random) for each in dead)
            if older_than is not None:
                before = tx.now - timedelta(seconds=min(to_seconds(older_than), _A_CENTURY))
                jobs += workers.take_away(tx, before=before, chance=random.random)
        return jobs

    # keep

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

    def close(self) -> None:
        """Close the connections of all threads. The queue cannot be used any more."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
