"""Rows of the file as people read them, and the job that is about to become one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from gigq.clock import to_text
from gigq.status import ExecutionStatus, JobStatus, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """One try at a job, as the file holds it."""

    id: int
    attempt: int
    status: ExecutionStatus
    worker_id: str
    started_at: datetime | None
    completed_at: datetime | None
    error: str | None
    error_type: str | None
    traceback: str | None
    log: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as the file holds it, at the moment it was read."""

    id: str
    name: str
    status: JobStatus
    phase: Phase
    queue: str
    priority: int
    function: str
    args: list[Any]
    params: dict[str, Any]
    result: Any
    error: str | None
    attempts: int
    max_attempts: int
    timeout: float | None
    description: str
    created_at: datetime
    updated_at: datetime
    run_at: datetime | None
    expires_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    worker_id: str | None
    progress: dict[str, Any] | None
    unique_key: str | None
    dependencies: tuple[str, ...]
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    executions: tuple[ExecutionRecord, ...]

    @property
    def duration(self) -> float | None:
        """Seconds from the start of the last execution to its end; None before that end."""
        if self.started_at is None or self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: statuses as text, instants as ISO-8601 text in UTC."""
        return {"exists": True} | {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, ExecutionRecord):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """A worker as the file holds it, at the moment it was read.

    Attributes:
        concurrency: its slots.
        queues: those that it serves; None for all.
        running: jobs that it holds now.
        completed, failed: executions that it has completed, and ended otherwise; a heartbeat behind.
        seen_at: its last heartbeat.
        stop: ``graceful`` or ``now`` if it was asked to stop, else None.
    """

    id: str
    mode: str
    concurrency: int
    queues: tuple[str, ...] | None
    pid: int
    running: int
    completed: int
    failed: int
    started_at: datetime
    seen_at: datetime
    stop: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRecord:
    """A named queue at the moment it was read.

    Attributes:
        is_paused: by its own name, or with all others.
        ready: jobs that could start now, but for a pause or a limit.
        scheduled: jobs that are not ready before a certain time, retries among them.
        running: jobs that workers hold.
        oldest_ready_at: when the oldest of the ready jobs was submitted; None without any.
        max_running, rate_limit, rate_period: its limits, or None. The period is in seconds.
    """

    name: str
    is_paused: bool
    ready: int
    scheduled: int
    running: int
    oldest_ready_at: datetime | None
    max_running: int | None
    rate_limit: int | None
    rate_period: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """A schedule at the moment it was read.

    Attributes:
        cron, every: a cron line, or else seconds from one tick to the next.
        timezone: the name of the zone of the cron line.
        missed: what becomes of ticks that no worker saw: ``once``, ``skip`` or ``all``.
        overlap: whether a tick submits a job while the last one is unfinished.
        next_at: the next tick; None if none will come.
        last_at, last_job: the last tick that submitted a job, and the id of that.
        function, queue: of its jobs.
    """

    name: str
    cron: str | None
    every: float | None
    timezone: str
    missed: str
    overlap: bool
    is_paused: bool
    next_at: datetime | None
    last_at: datetime | None
    last_job: str | None
    created_at: datetime
    function: str
    queue: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


# A named tuple: a frozen dataclass of this size takes 5 us to make, and one is made for every job.
class NewJob(NamedTuple):
    """A job as it is to be stored: its function is a path, and its values are JSON text."""

    id: str
    name: str
    description: str
    function: str
    args: str
    params: str
    queue: str
    priority: int
    run_at: datetime | None
    delay: float | None
    expires_at: datetime | None
    timeout: float | None
    max_attempts: int
    retry_delay: float
    retry_backoff: float
    retry_max_delay: float
    retry_jitter: float
    retry_on: str
    no_retry_on: str
    pass_parent_results: bool | None
    on_parent_failure: str
    metadata: str
    unique_key: str | None
    dependencies: tuple[str, ...]
    tags: tuple[str, ...]
