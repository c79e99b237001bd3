"""Records from rows: each column in its type, or an error that names the job and the column that somebody spoilt."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gigq.clock import from_text
from gigq.codec import decode
from gigq.errors import StoreError
from gigq.records import ExecutionRecord, JobRecord
from gigq.status import ExecutionStatus, JobStatus, Phase

if TYPE_CHECKING:
    from gigq.graph_records import GraphJob
    from gigq.history_records import ActionRecord, ExecutionSummary
    from gigq.queue_records import HeldJob
    from gigq.steps import StepRecord

Reader = Callable[[Any], Any]
"""Turns the value of a column into that of a field, or raises ValueError, TypeError or RecursionError."""


def job_record(
    row: sqlite3.Row,
    *,
    executions: Iterable[ExecutionRecord],
    parents: Iterable[str],
    tags: Iterable[str],
    workflow: dict[str, str] | None = None,
) -> JobRecord:
    """Return a job as a record.

    Raises:
        StoreError: a column holds something that this code never writes. SQLite keeps whatever somebody puts there.
    """
    owner = f"job {row['id']!r:.80}"
    values = {column: _read(owner, column, row[column], reader) for column, reader in _OF_JOB.items()}
    return JobRecord(
        **values,
        submitted_by=_read(owner, "submitter", row["submitter"], _or_none(_text)),
        dependencies=tuple(_read(owner, "parent", each, _text) for each in parents),
        workflow=workflow and {key: _read(owner, f"workflow's {key}", text, _text) for key, text in workflow.items()},
        tags=tuple(_read(owner, "tag", each, _text) for each in tags),
        executions=tuple(_with_result(each, values["result"]) for each in executions),
    )


def job_fields(row: sqlite3.Row, *, parents: Iterable[str], tags: Iterable[str]) -> dict[str, Any]:
    """Return the fields of `gigq.Job` of a stored job. Raises as `job_record`."""
    owner = f"job {row['id']!r:.80}"
    return {
        **{column: _read(owner, column, row[column], reader) for column, reader in _OF_FIELDS.items()},
        "dependencies": tuple(_read(owner, "parent", each, _text) for each in parents),
        "tags": tuple(_read(owner, "tag", each, _text) for each in tags),
    }


def result_value(job_id: str, text: Any) -> Any:
    """Return the result of a job, None if it has none. Raises as `job_record`."""
    return _read(f"job {job_id!r:.80}", "result", text, _OF_JOB["result"])


def _with_result(execution: ExecutionRecord, result: Any) -> ExecutionRecord:
    """Return an execution with the job's result if it is its own: only one completes, and it is the last."""
    return execution._replace(result=result) if execution.status is ExecutionStatus.COMPLETED else execution


def execution_record(row: sqlite3.Row, *, job_id: str) -> ExecutionRecord:
    """Return an execution as a record. Raises as `job_record`."""
    owner = f"an execution of job {job_id!r:.80}"
    return ExecutionRecord(
        **{column: _read(owner, column, row[column], reader) for column, reader in _OF_EXECUTION.items()},
        job_id=job_id,
        result=None,
    )


def held_job(row: sqlite3.Row) -> HeldJob:
    """Return a job with its open execution as a record. Raises as `job_record`."""
    from gigq.queue_records import HeldJob  # only here: few looks show workers

    owner = f"job {row['id']!r:.80}"
    columns = {"timeout": _OF_JOB["timeout"], "progress": _OF_JOB["progress"], "started_at": _or_none(from_text)}
    texts = {column: _read(owner, column, row[column], _text) for column in ("id", "name", "function", "queue")}
    values = {column: _read(owner, column, row[column], reader) for column, reader in columns.items()}
    return HeldJob(**texts, **values, attempt=_read(owner, "attempt", row["attempt"], _whole))


def next_row(row: sqlite3.Row) -> dict[str, Any]:
    """Return what is shown of a job that runs next. Raises as `job_record`."""
    owner = f"job {row['id']!r:.80}"
    columns = ("id", "name", "function", "queue", "priority", "phase", "run_at")
    return {column: _read(owner, column, row[column], _OF_JOB[column]) for column in columns}


def graph_job(row: sqlite3.Row, *, distance: int) -> GraphJob:
    """Return a job of a graph as a record. Raises as `job_record`."""
    from gigq.graph_records import GraphJob  # only here: few looks show graphs

    owner = f"job {row['id']!r:.80}"
    columns = ("id", "name", "function", "queue", "phase", "run_at", "started_at", "completed_at")
    values = {column: _read(owner, column, row[column], _OF_JOB[column]) for column in columns}
    submitted_by = _read(owner, "submitter", row["submitted_by"], _or_none(_text))
    return GraphJob(**values, distance=distance, submitted_by=submitted_by)


def step_record(row: sqlite3.Row, *, job_id: str) -> StepRecord:
    """Return a step of a job as a record. Raises as `job_record`."""
    from gigq.steps import StepRecord  # only here: few looks show steps

    owner = f"step {row['name']!r:.80} of job {job_id!r:.80}"
    return StepRecord(
        **{column: _read(owner, column, row[column], reader) for column, reader in _OF_STEP.items()}, job_id=job_id
    )


def execution_summary(row: sqlite3.Row) -> ExecutionSummary:
    """Return an execution with what a list shows of its job. Raises as `job_record`."""
    from gigq.history_records import ExecutionSummary  # only here: few looks go back

    owner = f"an execution of job {row['job_id']!r:.80}"
    return ExecutionSummary(
        **{column: _read(owner, column, row[column], reader) for column, reader in _OF_SUMMARY.items()}
    )


def action_record(row: sqlite3.Row) -> ActionRecord:
    """Return what a person did as a record. Raises as `job_record`."""
    from gigq.history_records import ActionRecord

    owner = f"action {row['id']!r:.80}"
    return ActionRecord(**{column: _read(owner, column, row[column], reader) for column, reader in _OF_ACTION.items()})


def _read(owner: str, column: str, value: Any, reader: Reader) -> Any:
    try:
        return reader(value)
    except (ValueError, TypeError, RecursionError):
        raise StoreError(
            f"{owner} cannot be read: its {column} is {value!r:.80}, which gigq never wrote; mend it in the file"
        ) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float):
        raise TypeError
    return value


def _boolean(value: Any) -> bool:
    if value not in (0, 1):
        raise TypeError
    return bool(value)


def _json(value: Any) -> Any:
    return decode(_text(value))


def _list(value: Any) -> Any:
    found = _json(value)
    if not isinstance(found, list):
        raise TypeError
    return found


def _object(value: Any) -> Any:
    found = _json(value)
    if not isinstance(found, dict):
        raise TypeError
    return found


def _or_none(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


_OF_JOB: Mapping[str, Reader] = {
    "id": _text,
    "name": _text,
    "status": JobStatus,
    "phase": Phase,
    "queue": _text,
    "priority": _whole,
    "function": _text,
    "args": _list,
    "params": _object,
    "result": _or_none(_json),
    "error": _or_none(_text),
    "attempts": _whole,
    "max_attempts": _whole,
    "releases": _whole,
    "timeout": _or_none(_number),
    "retry_delay": _number,
    "pass_parent_results": _or_none(_boolean),
    "description": _text,
    "created_at": from_text,
    "updated_at": from_text,
    "run_at": _or_none(from_text),
    "expires_at": _or_none(from_text),
    "unique_key": _or_none(_text),
    "started_at": _or_none(from_text),
    "completed_at": _or_none(from_text),
    "worker_id": _or_none(_text),
    "progress": _or_none(_object),
    "cursor": _or_none(_json),
    "metadata": _object,
}

_OF_FIELDS: Mapping[str, Reader] = {
    **{name: _OF_JOB[name] for name in (
        "id", "name", "description", "function", "args", "params", "queue", "priority", "run_at", "expires_at",
        "timeout", "max_attempts", "retry_delay", "pass_parent_results", "metadata", "unique_key",
    )},
    "retry_backoff": _number,
    "retry_max_delay": _number,
    "retry_jitter": _number,
    "retry_on": _list,
    "no_retry_on": _list,
    "on_parent_failure": _text,
}  # fmt: skip

_OF_EXECUTION: Mapping[str, Reader] = {
    "id": _whole,
    "attempt": _whole,
    "status": ExecutionStatus,
    "worker_id": _text,
    "started_at": _or_none(from_text),
    "completed_at": _or_none(from_text),
    "error": _or_none(_text),
    "error_type": _or_none(_text),
    "traceback": _or_none(_text),
    "log": _or_none(_text),
}

_OF_STEP: Mapping[str, Reader] = {
    "name": _text,
    "occurrence": _whole,
    "depth": _whole,
    "kind": _text,
    "arguments": _or_none(_text),
    "result": _json,
    "execution_id": _whole,
    "attempt": _or_none(_whole),
    "started_at": from_text,
    "completed_at": from_text,
}

_OF_SUMMARY: Mapping[str, Reader] = {
    **{name: _OF_EXECUTION[name] for name in (
        "id", "attempt", "status", "worker_id", "started_at", "completed_at", "error_type", "error",
    )},
    **dict.fromkeys(("job_id", "name", "function", "queue"), _text),
    "claimed_at": _or_none(from_text),
}  # fmt: skip

_OF_ACTION: Mapping[str, Reader] = {
    **dict.fromkeys(("id", "done", "changed", "skipped"), _whole),
    **dict.fromkeys(("at", "ended_at"), from_text),
    **dict.fromkeys(("actor", "face", "verb"), _text),
    **dict.fromkeys(("filter", "options"), _object),
    "bound": _or_none(_whole),
}
