"""`@task`: a function that makes jobs of its calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, Unpack, overload

from gigq import checks
from gigq.job import Job, JobOptions
from gigq.job_ids import JobId
from gigq.queue.job_queue import JobQueue
from gigq.unfit import not_importable

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A function with the options of the jobs that are made from it, as `task` returns it. Called, it is that function.

    Immutable, and safe to share between threads.

    Example:
        >>> from textwrap import shorten
        >>> from gigq import task
        >>> digest = task(shorten, max_attempts=5, tags=["text"])
        >>> digest("Hello wide world", width=11)
        'Hello [...]'
        >>> digest.options(priority="high").to_job("Hello wide world", width=11).tags
        ('text',)
    """

    def __init__(self, function: Callable[P, R], options: JobOptions) -> None:
        inner: object = function
        if isinstance(inner, Task):  # its options stay, but for those given here
            function, options = inner.function, {**inner._options, **options}
        if refusal := not_importable(function):
            raise TypeError(f"{refusal}; @task makes jobs of functions that a worker can import")
        checks.known(options, among=JobOptions.__annotations__, what="option of a task")
        self.function: Callable[P, R] = function
        self._options: JobOptions = {"name": getattr(function, "__name__", repr(function)), **options}
        Job(function="gigq:check", **self._options)  # so that a wrong value is refused where the task is defined
        update_wrapper(self, function, updated=())  # a function's own attributes must not become the task's

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<task {self._options['name']!r}>"

    def submit(self, queue: JobQueue, /, *args: Any, **params: Any) -> JobId:
        """Submit a job that calls the function with these arguments, and return the job's id.

        Raises:
            InvalidJob, StoreError: as `JobQueue.submit`.
            TypeError: the first argument is not a queue.
        """
        if not isinstance(queue, JobQueue):
            raise TypeError(f"queue is {checks.shown(queue)}; the first argument of submit must be a JobQueue")
        return queue.submit(self.to_job(*args, **params))

    def to_job(self, /, *args: Any, **params: Any) -> Job:
        """Return a job that calls the function with these arguments; it is not submitted."""
        return Job(function=self.function, args=args, params=params, **self._options)

    def options(self, **options: Unpack[JobOptions]) -> Task[P, R]:
        """Return the same task with other options. Those that are not given stay.

        Raises:
            InvalidJob: an option's value is invalid.
            TypeError: there is no such option.
        """
        return Task(self.function, {**self._options, **options})


@overload
def task(function: Callable[P, R], /, **options: Unpack[JobOptions]) -> Task[P, R]: ...
@overload
def task(function: None = None, /, **options: Unpack[JobOptions]) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def task(
    function: Callable[P, R] | None = None, /, **options: Unpack[JobOptions]
) -> Task[P, R] | Callable[[Callable[P, R]], Task[P, R]]:
    """Make a task of a function: ``@task``, ``@task(max_attempts=5)``, or ``task(function, priority="high")``.

    Args:
        function: a function at the top level of a module. It can be called as before.
        options: the options of its jobs, under the names that `Job` has for them. The name is by default that of the
            function.

    Raises:
        InvalidJob: an option's value is invalid.
        TypeError: there is no such option; or no worker could call this function: it is a lambda, a method, defined
            inside another function, async, a generator, a builtin, or no function at all.

    Example:
        >>> from gigq import task
        >>> @task(max_attempts=5, retry_delay=10)
        ... def greet(name: str) -> str:
        ...     return f"hello {name}"
        >>> greet("Ada")
        'hello Ada'
        >>> greet.to_job(name="Ada").retry_delay
        10.0
    """
    if function is None:
        return lambda decorated: Task(decorated, options)
    return Task(function, options)
