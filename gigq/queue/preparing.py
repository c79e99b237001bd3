"""A job in the form in which it is stored: its function named, and its arguments checked against it and encoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gigq.codec import encode
from gigq.errors import InvalidJob
from gigq.job import Job, Submittable
from gigq.paths import Function, mismatch, path_of, takes, unwrapped
from gigq.records import NewJob


def called(function: Callable[..., Any] | Submittable | str, args: Sequence[Any], params: Mapping[str, Any]) -> Job:
    """Return a job that calls a function with these arguments: with the options of a task, named like a function."""
    if not isinstance(function, str) and hasattr(function, "to_job"):
        return function.to_job(*args, **params)
    name = function if isinstance(function, str) else getattr(function, "__name__", repr(function))
    return Job(name, function, params, args=args)


def prepare(job: Job, *, limit: int) -> NewJob:
    """Return the form in which a job is stored.

    Args:
        job: its fields have been checked when it was made.
        limit: the most bytes that its arguments, and its metadata, may have as JSON.

    Raises:
        NotImportable: a worker could not find its function.
        NotSerializable: JSON cannot hold its arguments or metadata.
        InvalidJob: the function cannot be called with these arguments.
    """
    try:
        function, passing = path_of(job.function), _passes_parent_results(job)
        new = _new_job(job, function=function, passing=passing, limit=limit)
        if not isinstance(job.function, str):
            _check_call(job, unwrapped(job.function), passes_parent_results=bool(passing))
        return new
    except InvalidJob as error:
        raise type(error)(f"job {job.name!r}: {error}") from None


def _new_job(job: Any, *, function: str, passing: bool | None, limit: int) -> NewJob:
    # Any: the fields of a job accept more types than those in which its constructor has left them.
    return NewJob(
        id=job.id,
        name=job.name,
        description=job.description,
        function=function,
        args=encode(job.args, name="args", limit=limit),
        params=encode(job.params, name="params", limit=limit),
        queue=job.queue,
        priority=job.priority,
        run_at=job.run_at,
        delay=job.delay,
        expires_at=job.expires_at,
        timeout=job.timeout,
        max_attempts=job.max_attempts,
        retry_delay=job.retry_delay,
        retry_backoff=job.retry_backoff,
        retry_max_delay=job.retry_max_delay,
        retry_jitter=job.retry_jitter,
        retry_on=encode(job.retry_on, name="retry_on", limit=limit),
        no_retry_on=encode(job.no_retry_on, name="no_retry_on", limit=limit),
        pass_parent_results=passing,
        on_parent_failure=job.on_parent_failure,
        metadata=encode(job.metadata, name="metadata", limit=limit),
        unique_key=job.unique_key,
        dependencies=job.dependencies,
        tags=job.tags,
    )


def _passes_parent_results(job: Job) -> bool | None:
    """Whether the job is given its parents' results; None if only the worker can know the function."""
    if not job.dependencies:
        return False
    if job.pass_parent_results is not None or isinstance(job.function, str):
        return job.pass_parent_results
    return takes(unwrapped(job.function), "parent_results")


def _check_call(job: Job, function: Function, *, passes_parent_results: bool) -> None:
    params = dict(job.params or {})
    if passes_parent_results:
        params.setdefault("parent_results", {})
    problem = mismatch(function, job.args, params)
    if problem:
        raise InvalidJob(f"its arguments do not fit the function: {problem}")
