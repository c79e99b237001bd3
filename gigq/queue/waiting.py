"""Waiting for jobs to end, and the results or the errors they ended with."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple, TypeVar

from gigq.clock import Clock, Duration, to_seconds
from gigq.errors import JobFailed, JobNotFinished, JobNotFound, StoreError
from gigq.filters import Filters
from gigq.records import JobRecord
from gigq.runtime.context import current_execution
from gigq.status import DEAD, UNFINISHED, JobStatus
from gigq.store import awaiting, paging, reading, waits
from gigq.store.awaiting import Ids
from gigq.store.engine.database import Database
from gigq.store.engine.joined import joined_by
from gigq.store.engine.transaction import Transaction

T = TypeVar("T")

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.01
"""Seconds between two tests whether anything was committed."""

_REST = 4
"""How many times as long as a look at the jobs took there is none, so that many of them cost a fifth of a core."""

_NOTED_AFTER = 0.1
"""Seconds after which a wait inside a job is noted in the file."""


def wait(
    database: Database,
    clock: Clock,
    job_ids: Sequence[str],
    read: Callable[[Transaction, Sequence[str]], T],
    *,
    timeout: Duration | None = None,
    any: bool = False,
    is_over: Callable[[], str | None] = lambda: None,
    told: Callable[[int, int], object] = lambda ended, failed: None,
) -> T:
    """Read the jobs once all of them have ended.

    Args:
        read: reads them, in the snapshot in which the last was seen to have ended.
        any: read those that have ended as soon as there is one.
        is_over: says why no more of them will end, as the end of a sentence; None as long as they may.
        told: is called time and again with the numbers of jobs that have ended, and of those that have failed.

    Raises:
        JobNotFinished: `timeout` seconds have passed, or it is over.
        JobNotFound: no job has one of these ids.
        RuntimeError: this thread has a transaction open, in which it would wait for ever.
    """
    limit = math.inf if timeout is None else to_seconds(timeout, "timeout", or_else=", or None to wait forever")
    jobs, start, pause, rests_until, seen = _Jobs(job_ids), clock.monotonic(), _SHORTEST_PAUSE, 0.0, None
    with ExitStack() as noted:
        while True:
            why, mark, now = is_over(), database.mark(), clock.monotonic()  # before the look, which sees what was then
            is_last = why is not None or now - start >= limit
            if is_last or (mark != seen and now >= rests_until):
                with database.read() as tx:
                    if jobs.have_ended(tx, any=any):
                        told(jobs.wanted - len(jobs.unfinished), jobs.failed)
                        return read(tx, jobs.ended_of(job_ids))
                seen, rests_until = mark, clock.monotonic() + _REST * (clock.monotonic() - now)
            told(jobs.wanted - len(jobs.unfinished), jobs.failed)
            if is_last:
                raise JobNotFinished(jobs.not_ended(why or f"after {limit:.15g} s"))
            if (joined := joined_by(database)) and joined.keeps_out:
                raise RuntimeError(f"this thread has a transaction open on {database.path!r}; wait for jobs after it")
            clock.sleep(min(pause, limit - (now - start)))
            pause = min(_LONGEST_PAUSE, pause * 1.2)
            if not jobs.are_noted and clock.monotonic() - start >= _NOTED_AFTER:
                jobs.are_noted = True
                _note(database, jobs.unfinished, until=noted)


class Ending(NamedTuple):
    """How a job has ended.

    Attributes:
        id: the id of the job.
        name: its name.
        status: a finished one.
        error: the error of its last attempt, or why it was cancelled; None without one.
    """

    id: str
    name: str
    status: str
    error: str | None


def unfinished(database: Database, filters: Filters) -> list[str]:
    """Return the ids of the jobs that pass the filters and have not ended now, the oldest first.

    Raises:
        ValueError: the filters ask for jobs that have ended.
    """
    for status in filters.statuses or ():
        if status not in UNFINISHED:
            raise ValueError(f"status is {status!r}; only pending and running jobs can be waited for")
    with database.read() as tx:
        return paging.ids(tx, filters if filters.statuses else filters._replace(statuses=list(UNFINISHED)))


class _Jobs:
    """The jobs that are waited for.

    Attributes:
        wanted: how many there are.
        unfinished: the ids of those that had not ended at the last look.
        failed: how many have failed.
        are_noted: whether the file says who waits for them, if that is a job.
    """

    def __init__(self, job_ids: Sequence[str]) -> None:
        self._ids = Ids(list(dict.fromkeys(job_ids)))
        self.wanted = len(self._ids.all)
        self.failed = 0
        self.are_noted = False

    @property
    def unfinished(self) -> Sequence[str]:
        return self._ids.all

    def have_ended(self, tx: Transaction, *, any: bool) -> bool:
        """See which have ended, and return whether all have, or any.

        Raises:
            JobNotFound: one does not exist.
        """
        ended = dict(awaiting.ended(tx, self._ids))
        for job_id, status in ended.items():
            if status is None:
                raise JobNotFound(job_id)
        if ended:
            self._ids = Ids([job_id for job_id in self.unfinished if job_id not in ended])
            self.failed += sum(status in DEAD for status in ended.values())
        return not self.unfinished or (any and len(self.unfinished) < self.wanted)

    def ended_of(self, job_ids: Sequence[str]) -> Sequence[str]:
        """Return those of these jobs that had ended at the last look."""
        if not self.unfinished:
            return job_ids
        unfinished = set(self.unfinished)
        return [job_id for job_id in job_ids if job_id not in unfinished]

    def not_ended(self, when: str) -> str:
        """Say which have not, up to three by their ids."""
        if self.wanted == 1:
            return f"job {self.unfinished[0]} had not ended {when}"
        named, more = ", ".join(self.unfinished[:3]), len(self.unfinished) - 3
        which = f"{named} and {more} more" if more > 0 else named
        return f"{len(self.unfinished)} of {self.wanted} jobs had not ended {when}: {which}"


def nothing(tx: Transaction, job_ids: Sequence[str]) -> None:
    """Read nothing, for who only wants to know that they have ended."""


def endings(tx: Transaction, job_ids: Sequence[str]) -> list[Ending]:
    """Return how these jobs have ended, in this order: what can be read of 100,000 of them in a second.

    Raises:
        JobNotFound: no job has one of these ids.
    """
    found = {row[0]: Ending(*row) for row in awaiting.endings(tx, Ids(job_ids))}
    return [_existing(found, job_id) for job_id in job_ids]


def records(tx: Transaction, job_ids: Sequence[str]) -> list[JobRecord]:
    """Return these jobs in this order.

    Raises:
        JobNotFound: no job has one of these ids.
    """
    found = reading.jobs_of(tx, job_ids)
    return [_existing(found, job_id) for job_id in job_ids]


def results(tx: Transaction, job_ids: Sequence[str]) -> list[Any]:
    """Return the results of these jobs, which have ended, in this order.

    Raises:
        JobFailed: one or more ended without; it is about the first of them.
        JobNotFound: as `records`.
    """
    found = {job_id: (status, result) for job_id, status, result in awaiting.results(tx, Ids(job_ids))}
    ended = {job_id: _existing(found, job_id) for job_id in job_ids}
    bad = [job_id for job_id, (status, _) in ended.items() if status != JobStatus.COMPLETED]
    if not bad:
        return [ended[job_id][1] for job_id in job_ids]
    (first,) = records(tx, bad[:1])
    raise _failure(first, f"{len(bad)} of {len(ended)} jobs ended without a result: " if len(ended) > 1 else "")


def result_of(job: JobRecord) -> Any:
    """Return the result of a job that has ended.

    Raises:
        JobFailed: it ended without one.
    """
    if job.status is JobStatus.COMPLETED:
        return job.result
    raise _failure(job)


def _failure(job: JobRecord, before: str = "") -> JobFailed:
    last = job.executions[-1] if job.executions else None
    return JobFailed(
        f"{before}job {job.id} ({job.name}) ended as {job.status}: {job.error}",
        job_id=job.id,
        status=job.status.value,
        error_type=last.error_type if last else None,
        traceback=last.traceback if last else None,
    )


def _existing(found: dict[str, T], job_id: str) -> T:
    if job_id not in found:
        raise JobNotFound(job_id)
    return found[job_id]


def _note(database: Database, job_ids: Sequence[str], *, until: ExitStack) -> None:
    """If a job waits for these, note that in the file until it no longer does, for whoever asks why nothing moves.

    That must not fail a job: nobody else needs the note.
    """
    execution = current_execution()
    if execution is None:
        return
    number, job_id = execution
    with suppress(StoreError), database.write() as tx:
        if waits.note(tx, number, waiter=job_id, jobs=job_ids):
            until.callback(_forget, database, number)


def _forget(database: Database, execution: int) -> None:
    with suppress(StoreError), database.write() as tx:
        waits.forget(tx, execution)
