"""A job as a caller describes it: `Job`, its fields checked and brought into the form that is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import partial, wraps
from typing import Any, Literal, Protocol, TypedDict, TypeGuard

from gigq import checks
from gigq.checks import Texts
from gigq.clock import Duration, Instant, to_instant, to_seconds
from gigq.errors import InvalidJob
from gigq.job_ids import JobRef, NewId, ids_of, new_job_id
from gigq.paths import full_name
from gigq.priority import PriorityLevel, to_priority

OnParentFailure = Literal["cancel", "run"]
"""What becomes of a job when a parent ends badly."""

Exceptions = type[BaseException] | str | Sequence[type[BaseException] | str]
"""One exception class or its name, or several."""


class Submittable(Protocol):
    """What makes jobs, as a task does."""

    def to_job(self, *args: Any, **params: Any) -> Job:
        """Return a job that calls it with these arguments."""


def is_task(value: object) -> TypeGuard[Submittable]:
    """Whether a value makes jobs, as a task does."""
    return not isinstance(value, type) and hasattr(value, "to_job")


# Without slots: dataclass() makes a class with slots a second time, and then no subclass can set attributes of its own.
@dataclass(frozen=True, eq=False)
class Job:
    """A request to call one function with arguments. Nothing is stored before it is submitted.

    Immutable, and safe to share between threads. Submitting it twice stores it once, for its id is fixed here.

    Args:
        name: for people; need not be unique.
        function: a function that a worker can import, a task, ``"package.module:name"``, or the name of a handler.
        params: keyword arguments, as JSON can hold them.
        priority: jobs with a larger number are claimed first; also ``"low"``, ``"normal"``, ``"high"``, ``"critical"``.
        dependencies: the jobs that must complete before this one may run, and with them all that they submit: one or
            several, by their ids or as jobs.
        max_attempts: how many times it may be started, including the first time. Jobs with 1 are claimed one by one,
            and many short ones take ten times as long; give a job that only a crash may repeat 3, and `no_retry_on`.
        timeout: the time limit of one execution, in seconds; None for no limit.
        description: for people; None is none.
        pass_parent_results: whether to pass ``parent_results`` to the function; None passes them if the job has parents
            and the function takes them.
        retry_delay: seconds before the first retry.
        args: positional arguments, as JSON can hold them.
        queue: the name of the queue inside the file.
        run_at: do not start it before this instant.
        delay: how many seconds after the submit it may start at the earliest. Give this or `run_at`.
        expires_at: cancel it if it has not been started by this instant; one that has begun before never expires.
        retry_backoff: the factor by which each wait before a retry is longer than the one before, at least 1.
        retry_max_delay: the longest wait before a retry, in seconds, at least `retry_delay`; None for an hour, or
            `retry_delay` if that is longer.
        retry_jitter: the largest share of a wait, from 0 to 1, that is taken off at random.
        retry_on: the only exceptions to retry on, one or several, as classes or their names; empty for all.
        no_retry_on: exceptions never to retry on; they win over `retry_on`.
        tags: words to find the job by, one or several.
        metadata: anything that JSON can hold, kept with the job.
        unique_key: while an unfinished job has this key, submitting another one stores nothing and returns that id.
        on_parent_failure: ``"cancel"`` this job when a parent ends badly, or ``"run"`` it all the same.
        id: by default a new UUIDv7.

    Raises:
        InvalidJob: a value that cannot be stored, with the name of its field.

    Example:
        >>> from datetime import timedelta
        >>> from textwrap import shorten
        >>> from gigq import Job
        >>> job = Job("digest", shorten, {"text": "Hello world", "width": 9}, priority="high", delay=timedelta(hours=1))
        >>> job.priority, job.delay, job.max_attempts
        (100, 3600.0, 3)
    """

    name: str
    function: Callable[..., Any] | str
    params: Mapping[str, Any] | None = None
    priority: PriorityLevel = 0
    dependencies: JobRef | Iterable[JobRef] | None = None
    max_attempts: int = 3
    timeout: Duration | None = 300
    description: str | None = ""
    pass_parent_results: bool | None = None
    retry_delay: Duration = 0
    args: Sequence[Any] = field(default=(), kw_only=True)
    queue: str = field(default="default", kw_only=True)
    run_at: Instant | None = field(default=None, kw_only=True)
    delay: Duration | None = field(default=None, kw_only=True)
    expires_at: Instant | None = field(default=None, kw_only=True)
    retry_backoff: float = field(default=1.0, kw_only=True)
    retry_max_delay: Duration | None = field(default=None, kw_only=True)
    retry_jitter: float = field(default=0.0, kw_only=True)
    retry_on: Exceptions = field(default=(), kw_only=True)
    no_retry_on: Exceptions = field(default=(), kw_only=True)
    tags: Texts = field(default=(), kw_only=True)
    metadata: Mapping[str, Any] | None = field(default=None, kw_only=True)
    unique_key: str | None = field(default=None, kw_only=True)
    on_parent_failure: OnParentFailure = field(default="cancel", kw_only=True)
    id: str = field(default_factory=new_job_id, kw_only=True)

    def __post_init__(self) -> None:
        values = self.__dict__  # a frozen class refuses assignments, and its dict does not
        values.update(_checked({name: values[name] for name in _DEFAULTS}))


class SharedOptions(TypedDict, total=False):
    """The options of `Job` that any number of jobs may have in common."""

    priority: PriorityLevel
    max_attempts: int
    timeout: Duration | None
    description: str | None
    pass_parent_results: bool | None
    retry_delay: Duration
    queue: str
    retry_backoff: float
    retry_max_delay: Duration | None
    retry_jitter: float
    retry_on: Exceptions
    no_retry_on: Exceptions
    tags: Texts
    metadata: Mapping[str, Any] | None
    unique_key: str | None
    on_parent_failure: OnParentFailure


class JobOptions(SharedOptions, total=False):
    """The fields of `Job`, all of them optional, but the function and its arguments."""

    name: str
    dependencies: JobRef | Iterable[JobRef] | None
    run_at: Instant | None
    delay: Duration | None
    expires_at: Instant | None
    id: str


def _exception_names(value: object, name: str) -> tuple[str, ...]:
    classes = (value,) if isinstance(value, type) else checks.several(value, name)
    for each in classes:
        if not isinstance(each, str) and not (isinstance(each, type) and issubclass(each, BaseException)):
            found = checks.shown(each)
            raise ValueError(f"an entry of {name} is {found}; it must be an exception class or the name of one")
    return checks.texts([each if isinstance(each, str) else full_name(each) for each in classes], name)


def _dict(value: object, name: str) -> dict[str, Any]:
    return {} if value is None else checks.mapping(value, name)


def _text_or_none(value: object, name: str) -> str:
    return "" if value is None else checks.any_text(value, name)


def _ids(value: Any, name: str) -> tuple[str, ...]:
    return () if value is None else checks.texts(ids_of(value, name), name)


def _id(value: object, name: str) -> str:
    return value if isinstance(value, NewId) else checks.text(value, name)


def _timeout(value: Duration | None, name: str) -> float | None:
    return None if value is None else checks.positive_seconds(value, name, or_else=", or None for no limit")


_CHECKS: Mapping[str, Callable[[Any, str], object]] = {
    "name": checks.text,
    "function": lambda value, name: value,  # checked at submit
    "params": _dict,
    "priority": to_priority,
    "dependencies": _ids,
    "max_attempts": partial(checks.whole, least=1),
    "timeout": _timeout,
    "description": _text_or_none,
    "pass_parent_results": partial(checks.one_of, choices=(True, False, None)),
    "retry_delay": to_seconds,
    "args": checks.sequence,
    "queue": checks.text,
    "run_at": to_instant,
    "delay": to_seconds,
    "expires_at": to_instant,
    "retry_backoff": partial(checks.between, least=1.0, most=1e6),
    "retry_max_delay": partial(checks.optional, check=to_seconds),
    "retry_jitter": partial(checks.between, least=0.0, most=1.0),
    "retry_on": _exception_names,
    "no_retry_on": _exception_names,
    "tags": checks.texts,
    "metadata": _dict,
    "unique_key": checks.text,
    "on_parent_failure": partial(checks.one_of, choices=("cancel", "run")),
    "id": _id,
}
"""What checks the value of each field, and brings it into the form that is stored."""

_DEFAULTS: Mapping[str, Any] = {each.name: each.default for each in fields(Job)} | {
    "params": MISSING,  # a dict of its own for each job
    "metadata": MISSING,
    "dependencies": (),
}
"""The defaults in the form that is stored: such a value needs no check."""


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of fields in the form that is stored."""
    try:
        checked = {
            name: value if value is _DEFAULTS[name] else _CHECKS[name](value, name) for name, value in given.items()
        }
        if checked.get("delay") is not None:
            checks.not_both(run_at=checked.get("run_at"), delay=checked["delay"])
        _check_longest_wait(checked.get("retry_max_delay"), checked.get("retry_delay", 0.0))
    except (ValueError, TypeError) as error:
        owner = f"job {checks.shown(name)}: " if isinstance(name := given["name"], str) and name else ""
        raise InvalidJob(f"{owner}{error}") from None
    return checked


def _check_longest_wait(longest: Any, first: Any) -> None:
    if longest is not None and longest < first:
        raise ValueError(f"retry_max_delay is {longest:.15g}; it must be at least retry_delay, which is {first:.15g}")


_POSITIONAL = [each.name for each in fields(Job) if not each.kw_only]
_assign_all = Job.__init__


@wraps(_assign_all)
def _init(self: Job, *args: Any, **options: Any) -> None:
    # What dataclass() makes for a frozen class assigns 25 fields one by one and leaves each to be checked: 6 us, not 2.
    given = dict(zip(_POSITIONAL, args)) | options  # noqa: B905
    if len(given) < len(args) + len(options) or "name" not in given or "function" not in given:
        _assign_all(self, *args, **options)  # raises the TypeError that Python has for such a call
    checks.known(given, among=_DEFAULTS, what="option")
    values = self.__dict__
    values.update(_DEFAULTS, params={}, metadata={})
    values.update(_checked(given))
    if "id" not in given:
        values["id"] = NewId(new_job_id())
    if type(self).__post_init__ is not Job.__post_init__:
        self.__post_init__()


Job.__init__ = _init  # type: ignore[method-assign]
