"""The ids of jobs: made, returned by a submit, and taken from whatever names a job."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Protocol, Self

from gigq import checks
from gigq.clock import unix_microseconds


def new_job_id() -> str:
    """Return a UUIDv7 (RFC 9562): unique, and in order of time, so that an index of ids grows at its end."""
    microseconds = unix_microseconds()
    milliseconds, rest = divmod(microseconds, 1000)
    # Method 3 of the RFC: the 12 bits after the version continue the time, to a quarter of a microsecond.
    bits = milliseconds << 80 | 0x7 << 76 | (rest * 4096 // 1000) << 64
    return uuid_of(bits | 0b10 << 62 | int.from_bytes(os.urandom(8)) >> 2)


def uuid_of(bits: int) -> str:
    """Return 128 bits as a UUID is written."""
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class NewId(str):
    """The id of a `Job` whose caller has given none. A copy of that job has it too."""

    __slots__ = ()


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


class HasId(Protocol):
    """What describes a job and has its id: a `Job`, `JobRecord` or `JobClaim`."""

    @property
    def id(self) -> str:
        """The job's id."""

    @property
    def max_attempts(self) -> int:
        """How many attempts the job has. Workers and schedules have none, and are not taken for jobs."""


JobRef = str | HasId
"""A job: its id; or a `Job`, `JobRecord` or `JobClaim`."""

Jobs = JobRef | Iterable[JobRef]
"""One job, or several."""


def id_of(job: JobRef, name: str = "job_id") -> str:
    """Return the id of the job that a caller names; `name` is for messages.

    Raises:
        TypeError: it is neither an id nor a job.
    """
    if (found := _id_of(job, name)) is None:
        raise TypeError(f"{name} is {checks.shown(job)}; it must be the id of a job, or a Job")
    return found


def is_one(jobs: JobRef | Iterable[JobRef]) -> bool:
    """Whether a caller names one job, rather than a list of them."""
    return _id_of(jobs) is not None


def ids_of(jobs: JobRef | Iterable[JobRef], name: str) -> tuple[str, ...]:
    """Return the ids of the jobs that a caller names; one job is a list of one.

    Raises:
        TypeError: it is neither a job nor a list of jobs.
    """
    if (found := _id_of(jobs, name)) is not None:
        return (found,)
    if isinstance(jobs, bytes | dict) or not isinstance(jobs, Iterable):
        raise TypeError(f"{name} is {checks.shown(jobs)}; it must be the id of a job, a Job, or a list of these")
    return tuple([id_of(job, f"an entry of {name}") for job in jobs])


def _id_of(job: Any, name: str = "the id") -> str | None:
    if isinstance(job, str):
        return checks.any_text(job, name)
    # A record is a tuple, and would otherwise be read as a list.
    found = getattr(job, "id", None) if hasattr(job, "max_attempts") else None
    return found if isinstance(found, str) else None
