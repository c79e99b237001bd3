"""What can be seen of a queue: all that only reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Unpack, overload

from gigq.clock import Duration, to_seconds
from gigq.errors import JobFailed, JobNotFinished, JobNotFound
from gigq.filters import FilterOptions, Filters, Several
from gigq.queue.base import QueueBase
from gigq.records import JobRecord, WorkerRecord
from gigq.status import DEAD, FINISHED, JobStatus
from gigq.store import checking, reading, workers


class QueueReader(QueueBase):
    """The looking part of a `JobQueue`. Safe to share between threads; nothing here takes the write lock."""

    def get_status(self, job_id: str) -> dict[str, Any]:
        """Return all that the file holds of a job, as plain values; ``{"exists": False}`` for an unknown id."""
        record = self.get_job(job_id)
        return record.as_dict() if record else {"exists": False}

    def get_job(self, job_id: str) -> JobRecord | None:
        """Return a job as the file holds it now, or None for an unknown id."""
        with self.database.read() as tx:
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
        with self.database.read() as tx:
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
        with self.database.read() as tx:
            return [record.as_dict() for record in reading.jobs(tx, chosen, limit=limit, offset=offset)]

    def dead_letters(self, limit: int | None = 100, **filters: Unpack[FilterOptions]) -> list[dict[str, Any]]:
        """Return the jobs that used up their attempts (failed and timeout), those that ended last first.

        Args:
            limit: the most jobs to return; None for all.
            filters: as of `list_jobs`, and each job is such a dict.

        Raises:
            ValueError: a filter's value is not one that it can have, or the limit is negative.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit is {limit!r}; it may not be negative")
        chosen = Filters.of(status=DEAD, **filters)
        with self.database.read() as tx:
            return [record.as_dict() for record in reading.jobs(tx, chosen, limit=limit, order="ended")]

    def count(self, status: Several = None, **filters: Unpack[FilterOptions]) -> int:
        """Return how many jobs pass the same filters as those of `list_jobs`."""
        chosen = Filters.of(status=status, **filters)
        with self.database.read() as tx:
            return reading.count(tx, chosen)

    def stats(self) -> dict[str, int]:
        """Return the number of jobs of each status, and of all as ``total``."""
        with self.database.read() as tx:
            found = reading.statuses(tx)
        return found | {"total": sum(found.values())}

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

    def workers(self) -> list[WorkerRecord]:
        """Return the workers that are entered in the file, the oldest first; a dead one stays until it is noticed."""
        with self.database.read() as tx:
            return workers.records(tx)

    def check(self) -> list[str]:
        """Return a sentence for each thing that is wrong with the file. Reads all of it."""
        with self.database.read() as tx:
            return checking.check(tx)

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
        with self.database.read() as tx:
            found = reading.statuses_of(tx, job_ids)
        for job_id in job_ids:
            if job_id not in found:
                raise JobNotFound(job_id)
        return [job_id for job_id in job_ids if found[job_id] not in FINISHED]
