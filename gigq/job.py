"""What a caller asks for: a job, its fields checked and in the one form that is stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import partial
from typing import Any, Protocol

from gigq import checks
from gigq.clock import Duration, Instant, to_instant, to_seconds, unix_microseconds
from gigq.errors import InvalidJob
from gigq.paths import full_name
from gigq.priority import to_priority


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


# Without slots: a class with slots is made a second time by dataclass(), and the assignments of subclasses then fail.
@dataclass(frozen=True, eq=False)
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
        values = self.__dict__  # written to directly, because the class refuses every assignment
        try:
            checks.not_both(run_at=self.run_at, delay=self.delay)
            for name, default, check in _CHECKS:
                if (value := values[name]) is not default:
                    values[name] = check(value, name)
        except ValueError as error:
            raise InvalidJob(f"job {self.name!r}: {error}") from None


def _exception_names(value: object, name: str) -> tuple[str, ...]:
    classes = checks.sequence(value, name)
    for each in classes:
        if not isinstance(each, str) and not (isinstance(each, type) and issubclass(each, BaseException)):
            raise ValueError(f"an entry of {name} is {each!r}; it must be an exception class or the name of one")
    return checks.texts([each if isinstance(each, str) else full_name(each) for each in classes], name)


def _dict(value: object, name: str) -> dict[str, Any]:
    return {} if value is None else checks.mapping(value, name)


def _timeout(value: Duration | None, name: str) -> float | None:
    return None if value is None else checks.positive_seconds(value, name, or_else=", or None for no limit")


_CHECK_OF: Mapping[str, Callable[[Any, str], object]] = {
    "name": checks.text,
    "params": _dict,
    "priority": to_priority,
    "dependencies": lambda value, name: () if value is None else checks.texts(value, name),
    "max_attempts": partial(checks.whole, least=1),
    "timeout": _timeout,
    "description": checks.any_text,
    "pass_parent_results": partial(checks.one_of, choices=(True, False, None)),
    "retry_delay": to_seconds,
    "args": checks.sequence,
    "queue": checks.text,
    "run_at": to_instant,
    "delay": to_seconds,
    "expires_at": to_instant,
    "retry_backoff": partial(checks.between, least=1.0, most=1e6),
    "retry_max_delay": to_seconds,
    "retry_jitter": partial(checks.between, least=0.0, most=1.0),
    "retry_on": _exception_names,
    "no_retry_on": _exception_names,
    "tags": checks.texts,
    "metadata": _dict,
    "unique_key": checks.text,
    "on_parent_failure": partial(checks.one_of, choices=("cancel", "run")),
    "id": checks.text,
}
"""What each field is checked by, and brought into the form that is stored. The function is checked at submit."""

_NONE_IS_EMPTY = ("params", "dependencies", "metadata")
"""Fields whose default, None, is kept as an empty dict or tuple."""

_CHECKS = tuple(
    (each.name, MISSING if each.name in _NONE_IS_EMPTY else each.default, _CHECK_OF[each.name])
    for each in fields(Job)
    if each.name in _CHECK_OF
)
"""The name, the default and the check of each field. What is the default needs no check."""
