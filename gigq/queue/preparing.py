"""A job in the form in which it is stored: its function named, and its arguments checked against it and encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from gigq.checks import Default, shown
from gigq.codec import encode
from gigq.errors import InvalidJob
from gigq.job import Job, Submittable, is_task
from gigq.main_guard import IMPORTS
from gigq.new_job import NewJob
from gigq.paths import Function, mismatch, path_of, takes, unwrapped
from gigq.retry import longest_wait

_EMPTY = {"args": "[]", "params": "{}", "metadata": "{}", "retry_on": "[]", "no_retry_on": "[]"}
"""The fields that are stored as JSON, and the text of an empty one, which most of them are."""

_in_order = itemgetter(*NewJob._fields)


def jobs_of(jobs: Iterable[Job | Submittable | Callable[..., Any]]) -> list[Job]:
    """Return the jobs that a caller gave, of tasks and functions among them new ones.

    Raises:
        TypeError: it is not a list of these.
    """
    if isinstance(jobs, Job | str | bytes | Mapping) or not isinstance(jobs, Iterable):
        raise TypeError(f"jobs is {shown(jobs)}; it must be a list of jobs, and submit takes one")
    return [job_of(job, "an entry of jobs") for job in jobs]


def job_of(job: Job | Submittable | Callable[..., Any], name: str = "job") -> Job:
    """Return the job that a caller gave, or a new one that calls a task or a function without arguments.

    Args:
        job: what the caller gave.
        name: what messages call it.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(job, Job):
        return job
    if not callable(job) and not is_task(job):
        hint = "; enqueue takes the path of a function" if isinstance(job, str) else ""
        raise TypeError(f"{name} is {shown(job)}; it must be a Job, a task or a function{hint}")
    return called(job, (), {})


def called(function: Callable[..., Any] | Submittable | str, args: Sequence[Any], params: Mapping[str, Any]) -> Job:
    """Return a job that calls a function with these arguments: with the options of a task, named like a function."""
    if is_task(function):
        return function.to_job(*args, **params)
    plain: Any = function  # `prepare` says what is wrong with it
    name = plain if isinstance(plain, str) else getattr(plain, "__name__", type(plain).__name__)
    return Job(name or "job", plain, params, args=args)


def prepare(job: Job, *, limit: int, default: Default | None = None, is_child: bool = False) -> NewJob:
    """Return the form in which a job is stored.

    Args:
        job: its fields have been checked when it was made.
        limit: the most bytes that its arguments, and its metadata, may have as JSON.
        default: converts what JSON lacks, as for `json.dumps`.
        is_child: whether it is given its parents' results even if it has no parents, or none yet.

    Raises:
        NotImportable: a worker could not find its function.
        NotSerializable: JSON cannot hold its arguments or metadata.
        InvalidJob: the function cannot be called with these arguments.
        RuntimeError: a module that is being imported for another job submits it.
    """
    IMPORTS.refuse("a job was submitted")
    try:
        function, passing = path_of(job.function), _passes_parent_results(job, is_child=is_child)
        texts = _texts(vars(job), limit=limit, default=default)
        if not isinstance(job.function, str):
            _check_call(job, unwrapped(job.function), passes_parent_results=bool(passing))
    except InvalidJob as error:
        raise type(error)(f"job {job.name!r}: {error}") from None
    rest = {
        "id": str(job.id),  # sqlite3 takes a microsecond longer for the class that it may be
        "function": function,
        "pass_parent_results": passing,
        "retry_max_delay": _longest_wait(job),
    }
    return NewJob._make(_in_order({**vars(job), **texts, **rest}))


def _texts(values: Mapping[str, Any], *, limit: int, default: Default | None) -> dict[str, str]:
    return {
        name: encode(value, name=name, limit=limit, default=default) if (value := values[name]) else empty
        for name, empty in _EMPTY.items()
    }


def _passes_parent_results(job: Job, *, is_child: bool) -> bool | None:
    """Whether the job is given its parents' results; None if only the worker can know the function."""
    if not job.dependencies and not is_child:
        return False
    if job.pass_parent_results is not None or isinstance(job.function, str):
        return job.pass_parent_results
    return takes(unwrapped(job.function), "parent_results")


def _longest_wait(job: Job) -> float:
    values = vars(job)  # as seconds, which the fields accept in other forms too
    return longest_wait(values["retry_delay"], values["retry_max_delay"])


def _check_call(job: Job, function: Function, *, passes_parent_results: bool) -> None:
    params = {_text_of_key(key): value for key, value in (job.params or {}).items()}
    if passes_parent_results:
        params.setdefault("parent_results", {})
    problem = mismatch(function, job.args, params)
    if problem:
        raise InvalidJob(f"its arguments do not fit the function: {problem}")


def _text_of_key(key: object) -> str:
    if type(key) is str:
        return key
    from gigq.survey import text_of_key  # only where one is needed

    return text_of_key(key)
