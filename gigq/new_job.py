"""A job on its way into the file, prepared by the queue and stored by the store; and the id that is returned for it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Self


class JobId(str):
    """The id of a job, as a submit returns it: ordinary text that also knows whether the submit has stored the job.

    Attributes:
        is_new: False if nothing was stored: a job of this id was in the file already, or the id is that of the
            unfinished job that has the same `unique_key`.

    Example:
        >>> from gigq import Job, JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     first = queue.submit(Job("first", "refresh", unique_key="refresh"))
        ...     second = queue.submit(Job("second", "refresh", unique_key="refresh"))
        ...     first == second, first.is_new, second.is_new
        (True, True, False)
    """

    __slots__ = ("is_new",)
    is_new: bool

    def __new__(cls, job_id: str, *, is_new: bool = True) -> Self:
        made = super().__new__(cls, job_id)
        made.is_new = is_new
        return made


class NewJob(NamedTuple):
    """A job in the form in which it is stored: the fields of `gigq.Job`, the function as a path, and values as JSON."""

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
