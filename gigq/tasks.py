"""A function that makes jobs of itself: `@task`."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, overload

from gigq.job import Job
from gigq.queue.job_queue import JobQueue

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A function with the options of the jobs that are made from it. Called, it is that function.

    Immutable, and safe to share between threads.
    """

    def __init__(self, function: Callable[P, R], options: dict[str, Any]) -> None:
        inner: object = function
        if isinstance(inner, Task):  # its options stay, but for those named here
            function, options = inner.function, {**inner._options, **options}
        self.function: Callable[P, R] = function
        self._options: dict[str, Any] = {"name": getattr(function, "__name__", repr(function)), **options}
        # A wrong option is refused where the task is defined, as are arguments, which each job has for itself.
        Job(function="gigq:check", args=(), params=None, **self._options)
        update_wrapper(self, function, updated=())  # a function's own attributes must not become the task's

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<task {self._options['name']!r}>"

    def submit(self, queue: JobQueue, /, *args: Any, **params: Any) -> str:
        """Submit a job that calls the function with these arguments, and return the job's id.

        Raises:
            InvalidJob, StoreError: as `JobQueue.submit`.
        """
        return queue.submit(self.to_job(*args, **params))

    def to_job(self, /, *args: Any, **params: Any) -> Job:
        """Return a job that calls the function with these arguments; it is not submitted."""
        return Job(function=self.function, args=args, params=params, **self._options)

    def options(self, **options: Any) -> Task[P, R]:
        """Return the same task with other options; those not named stay.

        Raises:
            InvalidJob: a value that an option cannot have.
            TypeError: an option that jobs do not have.
        """
        return Task(self.function, {**self._options, **options})


@overload
def task(function: Callable[P, R], /, **options: Any) -> Task[P, R]: ...
@overload
def task(function: None = None, /, **options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def task(
    function: Callable[P, R] | None = None, /, **options: Any
) -> Task[P, R] | Callable[[Callable[P, R]], Task[P, R]]:
    """Make a task of a function: ``@task``, ``@task(max_attempts=5)``, or ``task(function, priority="high")``.

    Args:
        function: a function at the top level of a module. It can be called as before.
        options: of the jobs, by the names that `Job` has for them. The name is the function's own by default.

    Raises:
        InvalidJob: a value that an option cannot have.
        TypeError: an option that jobs do not have.
    """
    if function is None:
        return lambda decorated: Task(decorated, options)
    return Task(function, options)
