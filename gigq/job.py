"""What a caller asks for: a job, its fields checked and in the one form that is stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from gigq.clock import Duration, Instant, to_instant, to_seconds, unix_microseconds
from gigq.errors import InvalidJob
from gigq.paths import full_name
from gigq.priority import MOST_INTEGER, to_priority


def new_job_id() -> str:
    """Return a UUIDv7 (RFC 9562): unique, and in order of time, so that an index of ids grows at its end."""
    microseconds = unix_microseconds()
    milliseconds, rest = divmod(microseconds, 1000)
    # Method 3 of the RFC: the 12 bits after the version continue the time, to a quarter of a microsecond.
    bits = milliseconds << 80 | 0x7 << 76 | (rest * 4096 // 1000) << 64
    bits |= 0b10 << 62 | int.from_bytes(os.urandom(8)) >> 2
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Submittable(Protocol):
    """What makes jobs of itself, as a task does."""

    def to_job(self, *args: Any, **params: Any) -> Job:
        """Return a job that calls it with these arguments."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A request to call one function with arguments; nothing is stored before it is submitted.

    Safe to share between threads. Submitting it twice stores it once: its id is fixed here.

    Args:
        name: for people; need not be unique.
        function: a function that a worker can import, a task, ``"package.module:name"``, or a handler's name.
        params: keyword arguments, as JSON can hold them.
        priority: larger goes first; also ``"low"``, ``"normal"``, ``"high"``, ``"critical"``.
        dependencies: ids of the jobs that must complete before this one may run.
        max_attempts: how often it may be started, the first time counted.
        timeout: limit of one execution, in seconds; None for no limit.
        description: for people.
        pass_parent_results: True passes ``parent_results`` to the function, False does not;
            by default it is passed to a child whose function takes it.
        retry_delay: seconds before the first retry.
        args: positional arguments.
        queue: the name of the queue inside the file.
        run_at, delay: not before this instant, or so many seconds from the submit; one of the two.
        expires_at: a job that was not started by then is cancelled.
        retry_backoff: each later wait is this many times the one before (at least 1).
        retry_max_delay: no wait is longer, in seconds.
        retry_jitter: up to this share of a wait, 0 to 1, is taken off at random.
        retry_on: retry only these exceptions: classes, or their names. Empty: any.
        no_retry_on: never retry these; it wins over `retry_on`.
        tags: words to find the job by.
        metadata: anything that JSON can hold, kept beside the job.
        unique_key: while an unfinished job has this key, submitting another one stores nothing and returns its id.
        on_parent_failure: ``"cancel"`` this job when a parent ends badly, or ``"run"`` it all the same.
        id: a new UUIDv7 by default.

    Raises:
        InvalidJob: a value that cannot be stored, with its name.
    """

    name: str
    function: Callable[..., Any] | str
    params: Mapping[str, Any] | None = None
    priority: int | str = 0
    dependencies: Sequence[str] | None = None
    max_attempts: int = 3
    timeout: Duration | None = 300
    description: str = ""
    pass_parent_results: bool | None = None
    retry_delay: Duration = 0
    args: Sequence[Any] = field(default=(), kw_only=True)
    queue: str = field(default="default", kw_only=True)
    run_at: Instant | None = field(default=None, kw_only=True)
    delay: Duration | None = field(default=None, kw_only=True)
    expires_at: Instant | None = field(default=None, kw_only=True)
    retry_backoff: float = field(default=1.0, kw_only=True)
    retry_max_delay: Duration = field(default=3600, kw_only=True)
    retry_jitter: float = field(default=0.0, kw_only=True)
    retry_on: Sequence[type[BaseException] | str] = field(default=(), kw_only=True)
    no_retry_on: Sequence[type[BaseException] | str] = field(default=(), kw_only=True)
    tags: Sequence[str] = field(default=(), kw_only=True)
    metadata: Mapping[str, Any] | None = field(default=None, kw_only=True)
    unique_key: str | None = field(default=None, kw_only=True)
    on_parent_failure: str = field(default="cancel", kw_only=True)
    id: str = field(default_factory=new_job_id, kw_only=True)

    def __post_init__(self) -> None:
        try:
            for name, value in _checked(self).items():
                object.__setattr__(self, name, value)
        except ValueError as error:
            raise InvalidJob(f"job {self.name!r}: {error}") from None


def _checked(job: Job) -> dict[str, Any]:
    """Every field of a job in its one stored form, or a ValueError that names the field."""
    if job.run_at is not None and job.delay is not None:
        raise ValueError("run_at and delay were both given; give one")
    if job.on_parent_failure not in ("cancel", "run"):
        raise ValueError(f'on_parent_failure is {job.on_parent_failure!r}; it must be "cancel" or "run"')
    if job.pass_parent_results not in (None, True, False):
        raise ValueError(f"pass_parent_results is {job.pass_parent_results!r}; it must be True, False or None")
    return {
        "name": _text(job.name, "name"),
        "id": _text(job.id, "id"),
        "queue": _text(job.queue, "queue"),
        "description": _text(job.description, "description", may_be_empty=True),
        "params": _mapping(job.params, "params"),
        "metadata": _mapping(job.metadata, "metadata"),
        "args": _sequence(job.args, "args"),
        "dependencies": _texts(() if job.dependencies is None else job.dependencies, "dependencies"),
        "tags": _texts(job.tags, "tags"),
        "priority": to_priority(job.priority),
        "max_attempts": _whole(job.max_attempts, "max_attempts", at_least=1),
        "timeout": None if job.timeout is None else _positive(job.timeout, "timeout"),
        "run_at": None if job.run_at is None else _instant(job.run_at, "run_at"),
        "delay": None if job.delay is None else _seconds(job.delay, "delay"),
        "expires_at": None if job.expires_at is None else _instant(job.expires_at, "expires_at"),
        "unique_key": None if job.unique_key is None else _text(job.unique_key, "unique_key"),
        "retry_delay": _seconds(job.retry_delay, "retry_delay"),
        "retry_max_delay": _seconds(job.retry_max_delay, "retry_max_delay"),
        "retry_backoff": _between(job.retry_backoff, "retry_backoff", 1.0, 1e6),
        "retry_jitter": _between(job.retry_jitter, "retry_jitter", 0.0, 1.0),
        "retry_on": _exception_names(job.retry_on, "retry_on"),
        "no_retry_on": _exception_names(job.no_retry_on, "no_retry_on"),
    }


def _text(value: object, name: str, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or may_be_empty):
        raise ValueError(f"{name} is {value!r}; it must be text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} is {value!r}, and UTF-8 cannot hold a lone surrogate") from None
    return str.__str__(value)  # str() of an Enum that is text would be "Class.NAME"


def _sequence(value: object, name: str) -> tuple[Any, ...]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise ValueError(f"{name} is {value!r}; it must be a list")
    return tuple(value)


def _texts(value: object, name: str) -> tuple[str, ...]:
    """Distinct texts, in the order given."""
    return tuple(dict.fromkeys(_text(each, f"an entry of {name}") for each in _sequence(value, name)))


def _mapping(value: object, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is {value!r}; it must be a dict")
    return dict(value)


def _whole(value: object, name: str, *, at_least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= MOST_INTEGER:
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {at_least} to {MOST_INTEGER}")
    return int(value)


def _instant(value: Instant, name: str) -> datetime:
    try:
        return to_instant(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _seconds(value: Duration, name: str) -> float:
    try:
        return to_seconds(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _positive(value: Duration, name: str) -> float:
    seconds = _seconds(value, name)
    if seconds == 0:
        raise ValueError(f"{name} is 0; it must be more than 0, or None for no limit")
    return seconds


def _between(value: object, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}; it must be a number from {least:g} to {most:g}")
    return float(value)


def _exception_names(value: object, name: str) -> tuple[str, ...]:
    classes = _sequence(value, name)
    for each in classes:
        if not isinstance(each, str) and not (isinstance(each, type) and issubclass(each, BaseException)):
            raise ValueError(f"{name} holds {each!r}; it may hold exception classes or their names")
    return _texts([each if isinstance(each, str) else full_name(each) for each in classes], name)
