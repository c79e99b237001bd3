"""The queue as people hold it: checks, names functions, encodes, stores, and waits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, Unpack, overload

from gigq.admission import admit
from gigq.clock import Clock, Duration, Instant, SystemClock, to_instant, to_seconds, to_text
from gigq.codec import PARAMS_LIMIT
from gigq.errors import JobFailed, JobNotFinished, JobNotFound
from gigq.filters import FilterOptions, Filters, Several
from gigq.job import Job, Submittable
from gigq.records import JobRecord
from gigq.status import FINISHED, JobStatus
from gigq.store import checking, reading, steering, submitting, upkeep
from gigq.store.connections import Durability
from gigq.store.schema import open_queue

_DELETED_AT_ONCE = 1000
"""Jobs that one transaction of `clear_completed` deletes: a few milliseconds, so that workers hardly wait."""


class JobQueue:
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
        self.clock = clock or SystemClock()
        self.database = open_queue(
            db_path, initialize=initialize, timeout=to_seconds(timeout), durability=durability, now=self.clock.now()
        )
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

    # look

    def get_status(self, job_id: str) -> dict[str, Any]:
        """Return all that the file holds of a job, as plain values; ``{"exists": False}`` for an unknown id."""
        record = self.get_job(job_id)
        return record.as_dict() if record else {"exists": False}

    def get_job(self, job_id: str) -> JobRecord | None:
        """Return a job as the file holds it now, or None for an unknown id."""
        with self.database.read(self.clock.now()) as tx:
            return reading.job(tx, job_id)

    def get_result(self, job_id: str) -> Any:
        """Return what a completed job returned, and None for one that has not completed. Does not wait.

        Raises:
            JobNotFound: no job has this id.
        """
        return self._existing(job_id).result

    def full_id(self, prefix: str) -> str:
        """Return the one id that begins so.

        Raises:
            JobNotFound: none does.
            ValueError: several do, or the prefix is empty.
        """
        if not prefix:
            raise ValueError("an empty text is not the beginning of an id")
        with self.database.read(self.clock.now()) as tx:
            found = reading.ids_like(tx, prefix, limit=2)
        if not found:
            raise JobNotFound(prefix)
        if len(found) > 1 and prefix not in found:
            raise ValueError(f"several jobs have ids that begin with {prefix!r}; give more of it")
        return prefix if prefix in found else found[0]

    def list_jobs(
        self,
        status: Several = None,
        limit: int | None = None,
        *,
        offset: int = 0,
        **filters: Unpack[FilterOptions],
    ) -> list[dict[str, Any]]:
        """Return jobs, the newest first, each with the keys of `get_status`.

        Args:
            status: one or several.
            limit, offset: the most jobs to return (None for all), and how many to pass over before.
            filters: queue, name, priority, worker_id: equal. tags: one, or several that the job must all have.
                phase: one or several. since, until: submitted at or after, and before. search: text in the id, name,
                description, function, arguments or error.

        Raises:
            ValueError: a filter's value is not one that it can have.
        """
        if offset < 0 or (limit is not None and limit < 0):
            raise ValueError(f"limit is {limit!r} and offset is {offset!r}; neither may be negative")
        chosen = Filters.of(status=status, **filters)
        with self.database.read(self.clock.now()) as tx:
            return [record.as_dict() for record in reading.jobs(tx, chosen, limit=limit, offset=offset)]

    def count(self, status: Several = None, **filters: Unpack[FilterOptions]) -> int:
        """Return how many jobs pass the same filters as those of `list_jobs`."""
        chosen = Filters.of(status=status, **filters)
        with self.database.read(self.clock.now()) as tx:
            return reading.count(tx, chosen)

    def stats(self) -> dict[str, int]:
        """Return the number of jobs of each status, and of all as ``total``."""
        with self.database.read(self.clock.now()) as tx:
            found = reading.statuses(tx)
        return {status.value: found.get(status, 0) for status in JobStatus} | {"total": sum(found.values())}

    # wait

    @overload
    def wait(self, job_ids: str, timeout: Duration | None = None) -> JobRecord: ...  # type: ignore[overload-overlap]
    @overload
    def wait(self, job_ids: Iterable[str], timeout: Duration | None = None) -> list[JobRecord]: ...

    def wait(self, job_ids: str | Iterable[str], timeout: Duration | None = None) -> JobRecord | list[JobRecord]:
        """Return a job, or several, once they have all ended, however they ended.

        Looks every 5 to 100 ms; no transaction stays open meanwhile.

        Raises:
            JobNotFinished: `timeout` seconds have passed. None waits for ever.
            JobNotFound: no job has this id.
        """
        wanted = [job_ids] if isinstance(job_ids, str) else list(job_ids)
        self._wait(wanted, timeout)
        records = [self._existing(job_id) for job_id in wanted]
        return records[0] if isinstance(job_ids, str) else records

    def result(self, job_id: str, timeout: Duration | None = None) -> Any:
        """Wait for a job, and return what it returned.

        Raises:
            JobFailed: it ended failed, timeout or cancelled.
            JobNotFinished, JobNotFound: as `wait`.
        """
        record = self.wait(job_id, timeout)
        if record.status is JobStatus.COMPLETED:
            return record.result
        last = record.executions[-1] if record.executions else None
        raise JobFailed(
            f"job {job_id} ({record.name}) ended as {record.status}: {record.error}",
            job_id=job_id,
            status=record.status.value,
            error_type=last.error_type if last else None,
            traceback=last.traceback if last else None,
        )

    # steer

    def cancel(self, job_id: str) -> bool:
        """Cancel a pending job, and the descendants that need it. False, and nothing done, for any other."""
        with self.database.write(self.clock.now()) as tx:
            return steering.cancel(tx, job_id)

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

    def check(self) -> list[str]:
        """Return a sentence for each thing that is wrong with the file. Reads all of it."""
        with self.database.read(self.clock.now()) as tx:
            return checking.check(tx)

    def close(self) -> None:
        """Close the connections of all threads. The queue cannot be used any more."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _existing(self, job_id: str) -> JobRecord:
        record = self.get_job(job_id)
        if record is None:
            raise JobNotFound(job_id)
        return record

    def _wait(self, job_ids: Sequence[str], timeout: Duration | None) -> None:
        deadline = None if timeout is None else self.clock.monotonic() + to_seconds(timeout)
        waiting, pause = self._unfinished(job_ids), 0.005
        while waiting:
            if deadline is not None and self.clock.monotonic() >= deadline:
                raise JobNotFinished(
                    f"{len(waiting)} of {len(job_ids)} jobs had not ended after {timeout} s: {waiting[0]}, …"
                )
            self.clock.sleep(pause)
            waiting, pause = self._unfinished(waiting), min(0.1, pause * 1.5)

    def _unfinished(self, job_ids: Sequence[str]) -> list[str]:
        with self.database.read(self.clock.now()) as tx:
            found = reading.statuses_of(tx, job_ids)
        for job_id in job_ids:
            if job_id not in found:
                raise JobNotFound(job_id)
        return [job_id for job_id in job_ids if found[job_id] not in FINISHED]
