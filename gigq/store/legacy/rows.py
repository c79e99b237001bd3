"""Jobs and executions of the GigQ package 0.5.1 as rows of ours."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gigq.clock import later, to_text
from gigq.codec import encode
from gigq.status import UNFINISHED, ExecutionStatus, JobStatus
from gigq.store.legacy import values
from gigq.store.legacy.missing import NOTES, PARENTS
from gigq.store.legacy.order import Place
from gigq.store.legacy.values import Faults, Old, as_text, as_text_or_null, complaint, read

_LOST = "the file was upgraded from GigQ 0.5.1 while this attempt ran"
_UNENDED = "GigQ 0.5.1 left no record of how this attempt ended"
_UNRECORDED = "GigQ 0.5.1 left no record of this attempt"
_STUCK = (
    "cancelled by the upgrade from GigQ 0.5.1: "
    "it could never run, because the jobs that it depends on wait for each other"
)

_MOST_UNRECORDED = 100
"""The most attempts that only a job's counter knows of and that are kept: each becomes a row."""

_JOB_STATUSES = frozenset(JobStatus)
_ENDS = frozenset(ExecutionStatus) - {ExecutionStatus.RUNNING}


class History(NamedTuple):
    """What the executions of a job have to agree with.

    Attributes:
        attempts: how many of them count: the last ones.
        recorded: how many of them the old file has.
        ended_at: the instant to use for an end that was not recorded.
    """

    seq: int
    attempts: int
    max_attempts: int
    recorded: int
    was_running: bool
    ended_at: str


class _Standing(NamedTuple):
    status: JobStatus
    attempts: int
    error: str | None
    is_moved: bool


def job_from(
    old: Old, place: Place, *, added: Sequence[str], recorded: int, now: datetime, stamp: str
) -> tuple[dict[str, Any], History]:
    """Return the row of `jobs` that replaces an old one, and what its executions have to agree with.

    Args:
        added: columns that the old package does not know; their values are kept in the metadata.
        recorded: how many executions the job has.
        now, stamp: the instant of the upgrade, and the same as the file holds it.
    """
    faults: Faults = {}
    job: dict[str, Any] = {"seq": place.seq, "id": place.id} | _words(old, faults) | _numbers(old, faults)
    standing = _standing(old, place, faults, max_attempts=job["max_attempts"], recorded=recorded)
    job |= _instants(old, standing, faults, retry_delay=job["retry_delay"], now=now, stamp=stamp)
    job |= {
        "status": standing.status.value,
        "attempts": standing.attempts,
        "result": job["result"] if standing.status is JobStatus.COMPLETED else None,
        "error": standing.error,
        "metadata": _metadata(old, place, faults, added),
    }
    return job, History(
        seq=place.seq,
        attempts=standing.attempts,
        max_attempts=job["max_attempts"],
        recorded=recorded,
        was_running=as_text(old["status"]) == JobStatus.RUNNING,
        ended_at=job["completed_at"] or job["updated_at"],
    )


def execution_from(old: Old, history: History, *, position: int, stamp: str) -> tuple[Any, ...]:
    """Return the seq of the job, attempt, worker_id, status, started_at, completed_at and error.

    Args:
        position: how many executions of the same job there were before it.
        stamp: the instant of the upgrade.
    """
    status, error = as_text(old["status"]), as_text_or_null(old["error"])
    started_at = read(old, "started_at", {}, values.instant, None)
    ended_at = read(old, "completed_at", {}, values.instant, None) or started_at or history.ended_at
    if status == ExecutionStatus.RUNNING:
        error, ended_at = _LOST if history.was_running else _UNENDED, stamp
    elif status not in _ENDS:
        error = complaint({"status": old["status"]})
    status = status if status in _ENDS else ExecutionStatus.LOST.value
    attempt = _attempt(position, history)
    return history.seq, attempt, as_text(old["worker_id"]), status, started_at, ended_at, error


def unrecorded(history: History) -> list[tuple[Any, ...]]:
    """Return the executions that count and that the old file does not have, in the same form: the first ones."""
    error = _LOST if history.was_running and not history.recorded else _UNRECORDED
    missing = range(1, history.attempts - history.recorded + 1)
    return [(history.seq, each, "", ExecutionStatus.LOST.value, None, history.ended_at, error) for each in missing]


def _attempt(position: int, history: History) -> int:
    """The last executions are those that count; the others were before somebody requeued the job."""
    others = history.recorded - history.attempts
    return position - others + 1 if position >= others else position % history.max_attempts + 1


# the parts of a job


def _words(old: Old, faults: Faults) -> dict[str, Any]:
    is_completed = as_text(old["status"]) == JobStatus.COMPLETED
    result = read(old, "result", faults, values.result, "null") if is_completed else None
    read(old, "dependencies", faults, values.ids, list[str]())  # for its faults: they are in the job's place
    return {
        "name": as_text(old["name"]),
        "description": as_text(old["description"]),
        "result": result,
        **_call(old, faults),
    }


def _call(old: Old, faults: Faults) -> dict[str, str]:
    """Return the function and its arguments. If those are unknown it must not run, even if the job is requeued."""
    params = read(old, "params", faults, values.params, None)
    for column in ("function_module", "function_name"):
        read(old, column, faults, values.name, "")
    path = f"{as_text(old['function_module'])}:{as_text(old['function_name'])}"
    return {"function": path if params is not None else f"unreadable params of {path}", "params": params or "{}"}


def _numbers(old: Old, faults: Faults) -> dict[str, Any]:
    passes = old["pass_parent_results"]
    return {
        "priority": read(old, "priority", faults, values.priority, 0),
        "max_attempts": read(old, "max_attempts", faults, values.max_attempts, 3),
        "timeout": read(old, "timeout", faults, values.timeout, values.timeout(None)),
        "retry_delay": read(old, "retry_delay", faults, values.retry_delay, 0.0),
        "pass_parent_results": passes if passes in (0, 1) else None,
    }


def _standing(old: Old, place: Place, faults: Faults, *, max_attempts: int, recorded: int) -> _Standing:
    status = as_text(old["status"])
    counted = read(old, "attempts", faults, values.attempts, 0)
    attempts = min(max(counted, int(status == JobStatus.RUNNING)), max_attempts, recorded + _MOST_UNRECORDED)
    if status not in _JOB_STATUSES:
        faults["status"] = old["status"]
    if faults and (status not in _JOB_STATUSES or status in UNFINISHED or "result" in faults):
        return _Standing(JobStatus.FAILED, attempts, complaint(faults), True)
    is_running, is_left = status == JobStatus.RUNNING, attempts < max_attempts
    if is_running and not is_left:
        return _Standing(JobStatus.FAILED, attempts, _LOST, True)
    if status in UNFINISHED and place.is_stuck:
        return _Standing(JobStatus.CANCELLED, attempts, _STUCK, True)
    if is_running:
        return _Standing(JobStatus.PENDING, attempts, _LOST, True)
    if status == JobStatus.PENDING:  # the old worker started it whatever its counter said
        attempts = min(attempts, max_attempts - 1)
    error = None if status == JobStatus.COMPLETED else as_text_or_null(old["error"])
    return _Standing(JobStatus(status), attempts, error, False)


def _instants(
    old: Old, standing: _Standing, faults: Faults, *, retry_delay: float, now: datetime, stamp: str
) -> dict[str, str | None]:
    """Return all instants of a job. One that cannot be read is noted and replaced, which is better than to fail it."""
    created_at, updated_at, started_at, completed_at, retry_after = (
        read(old, column, faults, values.instant, None)
        for column in ("created_at", "updated_at", "started_at", "completed_at", "retry_after")
    )
    updated_at = stamp if standing.is_moved else updated_at or created_at or stamp
    if standing.status is JobStatus.PENDING:
        run_at = to_text(later(now, retry_delay)) if standing.is_moved else retry_after or stamp
        completed_at = None
    else:  # for a cancelled or timed-out job, the old package left the end of an earlier round
        run_at = None
        is_unwritten = standing.is_moved or standing.status in (JobStatus.CANCELLED, JobStatus.TIMEOUT)
        completed_at = updated_at if is_unwritten else completed_at or updated_at
    return {
        "created_at": created_at or updated_at,
        "updated_at": updated_at,
        "started_at": started_at if standing.attempts else None,
        "completed_at": completed_at,
        "run_at": run_at if run_at is not None and run_at > stamp else None,
    }


def _metadata(old: Old, place: Place, faults: Faults, added: Sequence[str]) -> str:
    """Return notes about what could not be kept; none for a job that was copied as it is."""
    notes: dict[str, Any] = {
        PARENTS: list(place.missing),
        "circular_parents": list(place.circular),
        "unreadable": {column: as_text_or_null(value) for column, value in faults.items()},
        "columns": {column: as_text_or_null(old[column]) for column in added if old[column] is not None},
    }
    said = {name: note for name, note in notes.items() if note}
    return encode({NOTES: said}, name="metadata", limit=2**31) if said else "{}"
