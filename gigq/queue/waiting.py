"""Waiting for jobs to end, and the result or the error they ended with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from gigq.clock import Clock, Duration, to_seconds
from gigq.errors import JobFailed, JobNotFinished, JobNotFound, StoreError
from gigq.records import JobRecord
from gigq.runtime.context import current_execution
from gigq.status import DEAD, FINISHED, JobStatus
from gigq.store import reading, waits
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
"""Seconds between two looks at the file."""

_NOTED_FROM = 0.03
"""The pause from which on a wait inside a job is noted in the file: after a tenth of a second."""


def wait(
    database: Database,
    clock: Clock,
    job_ids: Sequence[str],
    *,
    timeout: Duration | None,
    is_over: Callable[[], str | None] = lambda: None,
    told: Callable[[int, int], object] = lambda ended, failed: None,
) -> list[JobRecord]:
    """Return the jobs once all of them have ended, in the order of their ids.

    Args:
        is_over: says why no more of them will end, as the end of a sentence; None as long as they may.
        told: is called at each look with the numbers of jobs that have ended, and of those that have failed.

    Raises:
        JobNotFinished: `timeout` seconds have passed, or it is over.
        JobNotFound: no job has one of these ids.
    """
    limit = None if timeout is None else to_seconds(timeout, "timeout", or_else=", or None to wait forever")
    start = clock.monotonic()
    jobs, pause = _Jobs(job_ids), _SHORTEST_PAUSE
    with ExitStack() as noted:
        while True:
            why = is_over()  # before the look: what ended until then is seen
            with database.read() as tx:
                jobs.look(tx)
                if not jobs.unfinished:
                    told(jobs.wanted, jobs.failed)
                    return [_existing(tx, job_id) for job_id in job_ids]
            told(jobs.wanted - len(jobs.unfinished), jobs.failed)
            if why is None and limit is not None and clock.monotonic() - start >= limit:
                why = f"after {limit:.15g} s"
            if why is not None:
                raise JobNotFinished(jobs.not_ended(why))
            clock.sleep(pause)
            if pause < _NOTED_FROM <= (pause := min(_LONGEST_PAUSE, pause * 1.5)):
                _note(database, jobs.unfinished, until=noted)


class _Jobs:
    """The jobs that are waited for.

    Attributes:
        wanted: how many there are.
        unfinished: the ids of those that had not ended at the last look.
        failed: how many have ended without a result, and not because somebody cancelled them.
    """

    def __init__(self, job_ids: Sequence[str]) -> None:
        self.unfinished = list(dict.fromkeys(job_ids))
        self.wanted = len(self.unfinished)
        self.failed = 0

    def look(self, tx: Transaction) -> None:
        """See which have ended.

        Raises:
            JobNotFound: one does not exist.
        """
        found = reading.statuses_of(tx, self.unfinished)
        for job_id in self.unfinished:
            if job_id not in found:
                raise JobNotFound(job_id)
        self.unfinished = [job_id for job_id in self.unfinished if found[job_id] not in FINISHED]
        self.failed += sum(status in DEAD for status in found.values())

    def not_ended(self, when: str) -> str:
        """Say which have not, up to three by their ids."""
        if self.wanted == 1:
            return f"job {self.unfinished[0]} had not ended {when}"
        named, more = ", ".join(self.unfinished[:3]), len(self.unfinished) - 3
        which = f"{named} and {more} more" if more > 0 else named
        return f"{len(self.unfinished)} of {self.wanted} jobs had not ended {when}: {which}"


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


def result_of(job: JobRecord) -> Any:
    """Return the result of a job that has ended.

    Raises:
        JobFailed: it ended without one.
    """
    if job.status is JobStatus.COMPLETED:
        return job.result
    last = job.executions[-1] if job.executions else None
    raise JobFailed(
        f"job {job.id} ({job.name}) ended as {job.status}: {job.error}",
        job_id=job.id,
        status=job.status.value,
        error_type=last.error_type if last else None,
        traceback=last.traceback if last else None,
    )


def _existing(tx: Transaction, job_id: str) -> JobRecord:
    record = reading.job(tx, job_id)
    if record is None:
        raise JobNotFound(job_id)
    return record
