"""Waiting for jobs to end, and the result or the error they ended with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from gigq.clock import Clock, Duration, to_seconds
from gigq.errors import JobFailed, JobNotFinished, JobNotFound, StoreError
from gigq.records import JobRecord
from gigq.runtime.context import current_execution
from gigq.status import FINISHED, JobStatus
from gigq.store import reading, waits
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
"""Seconds between two looks at the file."""

_NOTED_FROM = 0.03
"""The pause from which on a wait inside a job is noted in the file: after a tenth of a second."""


def wait(database: Database, clock: Clock, job_ids: Sequence[str], *, timeout: Duration | None) -> list[JobRecord]:
    """Return the jobs once all of them have ended, in the order of their ids.

    Raises:
        JobNotFinished: `timeout` seconds have passed.
        JobNotFound: no job has one of these ids.
    """
    limit = None if timeout is None else to_seconds(timeout, "timeout", or_else=", or None to wait forever")
    start = clock.monotonic()
    unfinished, pause = list(dict.fromkeys(job_ids)), _SHORTEST_PAUSE
    wanted = len(unfinished)
    with ExitStack() as noted:
        while True:
            with database.read() as tx:
                unfinished = _unfinished(tx, unfinished)
                if not unfinished:
                    return [_existing(tx, job_id) for job_id in job_ids]
            if limit is not None and clock.monotonic() - start >= limit:
                raise JobNotFinished(_not_finished(unfinished, among=wanted, timeout=limit))
            clock.sleep(pause)
            if pause < _NOTED_FROM <= (pause := min(_LONGEST_PAUSE, pause * 1.5)):
                _note(database, unfinished, until=noted)


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


def _not_finished(unfinished: Sequence[str], *, among: int, timeout: float) -> str:
    """Say which jobs are meant, up to three by their ids."""
    if among == 1:
        return f"job {unfinished[0]} had not ended after {timeout:.15g} s"
    named, more = ", ".join(unfinished[:3]), len(unfinished) - 3
    which = f"{named} and {more} more" if more > 0 else named
    return f"{len(unfinished)} of {among} jobs had not ended after {timeout:.15g} s: {which}"


def _unfinished(tx: Transaction, job_ids: Sequence[str]) -> list[str]:
    found = reading.statuses_of(tx, job_ids)
    for job_id in job_ids:
        if job_id not in found:
            raise JobNotFound(job_id)
    return [job_id for job_id in job_ids if found[job_id] not in FINISHED]


def _existing(tx: Transaction, job_id: str) -> JobRecord:
    record = reading.job(tx, job_id)
    if record is None:
        raise JobNotFound(job_id)
    return record
