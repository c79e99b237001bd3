"""What is checked of a job before it is stored, and the form in which it is."""

from __future__ import annotations

from gigq.clock import to_instant, to_seconds
from gigq.codec import encode
from gigq.errors import InvalidJob
from gigq.job import Job
from gigq.paths import Function, mismatch, path_of, takes, unwrapped
from gigq.priority import to_priority
from gigq.records import NewJob


def admit(job: Job, *, limit: int) -> NewJob:
    """Return the form in which a job is stored.

    Args:
        job: what was asked for.
        limit: the most bytes that its arguments may have as JSON.

    Raises:
        NotImportable: a worker could not find its function.
        NotSerializable: JSON cannot hold its arguments or metadata.
        InvalidJob: the function cannot be called with these arguments.
    """
    try:
        function = path_of(job.function)
        passing = _passes_parent_results(job)
        new = NewJob(
            id=job.id,
            name=job.name,
            description=job.description,
            function=function,
            args=encode(job.args, name="args", limit=limit),
            params=encode(job.params, name="params", limit=limit),
            queue=job.queue,
            priority=to_priority(job.priority),
            run_at=None if job.run_at is None else to_instant(job.run_at),
            delay=None if job.delay is None else to_seconds(job.delay),
            expires_at=None if job.expires_at is None else to_instant(job.expires_at),
            timeout=None if job.timeout is None else to_seconds(job.timeout),
            max_attempts=job.max_attempts,
            retry_delay=to_seconds(job.retry_delay),
            retry_backoff=job.retry_backoff,
            retry_max_delay=to_seconds(job.retry_max_delay),
            retry_jitter=job.retry_jitter,
            retry_on=encode(job.retry_on, name="retry_on", limit=limit),
            no_retry_on=encode(job.no_retry_on, name="no_retry_on", limit=limit),
            pass_parent_results=passing,
            on_parent_failure=job.on_parent_failure,
            metadata=encode(job.metadata, name="metadata", limit=limit),
            unique_key=job.unique_key,
            dependencies=tuple(job.dependencies or ()),
            tags=tuple(job.tags),
        )
        if not isinstance(job.function, str):
            _check_call(job, unwrapped(job.function), passes_parent_results=bool(passing))
        return new
    except InvalidJob as error:
        raise type(error)(f"job {job.name!r}: {error}") from None


def _passes_parent_results(job: Job) -> bool | None:
    """Whether the job gets its parents' results; None where only the worker can know the function."""
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
        raise InvalidJob(f"it cannot be called so: {problem}")
