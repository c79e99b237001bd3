"""The running job, as its function sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gigq.clock import from_text, later
from gigq.codec import decode
from gigq.errors import JobCancelled, StoreError
from gigq.runtime.durable_context import DurableContext
from gigq.runtime.output import cursor_of, progress_of


class JobContext(DurableContext):
    """The running job, as its function sees it. Safe to use from any thread.

    >>> from gigq import Job, JobQueue, current_job
    >>> from gigq.testing import drain
    >>> def convert() -> str:
    ...     job = current_job()
    ...     for page in range(1, 4):
    ...         job.check()  # raises JobCancelled once the job is cancelled
    ...         job.progress(page, 3, f"page {page}")
    ...     return f"{job.name}, attempt {job.attempt} of {job.max_attempts}"
    >>> with JobQueue(":memory:") as queue:
    ...     job_id = queue.submit(Job("Convert the report", "convert"))
    ...     executions = drain(queue, handlers={"convert": convert})
    ...     print(queue.result(job_id))
    Convert the report, attempt 1 of 3
    """

    __slots__ = ()

    def __repr__(self) -> str:
        if self.id is None:
            return f"<{type(self).__name__}: no job is running here>"
        return f"<{type(self).__name__} {self.id} ({self.name!r}), attempt {self.attempt} of {self.max_attempts}>"

    @property
    def id(self) -> str | None:
        """The job's id; None outside a job."""
        return self._claim.job_id or None

    @property
    def name(self) -> str | None:
        """The job's name; None outside a job."""
        return self._claim.name or None

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1; 1 outside a job."""
        return self._claim.attempt

    @property
    def max_attempts(self) -> int:
        """How many attempts the job may have; 1 outside a job."""
        return self._claim.max_attempts

    @property
    def deadline(self) -> datetime | None:
        """When the job will be stopped, in UTC; None if it has no timeout, and outside a job."""
        timeout = self._claim.timeout
        return None if timeout is None else later(from_text(self._started_at), timeout)

    @property
    def tags(self) -> tuple[str, ...]:
        """The job's tags, in alphabetical order."""
        return self._claim.tags

    @property
    def metadata(self) -> dict[str, Any]:
        """The job's metadata; a new copy each time."""
        found: dict[str, Any] = decode(self._claim.metadata)
        return found

    @property
    def cancelled(self) -> bool:
        """Whether the job has been cancelled, or taken from this worker, since its function was called."""
        return self._state is not None and self._state.stop_reason is JobCancelled

    def check(self) -> None:
        """Raise if the job must stop. For loops that call into C, and for threads that the job has started.

        Raises:
            JobCancelled: the job was cancelled, or taken from this worker.
            JobTimeout: the job has overrun its timeout.
        """
        if self._state is not None and self._state.stop_reason is not None:
            raise self._state.stop_reason

    def progress(self, current: float, total: float | None = None, message: str | None = None) -> None:
        """Report how far the job is, as often as you like: a call takes about a microsecond and writes nothing.

        The worker writes the latest progress about once a second, and when the job ends. It is kept with the job
        until a new attempt begins.

        Args:
            current: how much is done, in any unit; at least 0.
            total: how much there is to do, in the same unit; of 0, all is done. None if it is not known.
            message: a note for people, of at most 500 characters.

        Raises:
            TypeError: a number is not a number, or the message is not text.
            ValueError: a number is negative or not finite, or the message is too long.
        """
        self._output.progress = progress_of(current, total, message)

    @property
    def cursor(self) -> Any:
        """A place in a long loop: what the function, in this attempt or an earlier one, has last set; None at first.

        Set it as often as you like, to anything that JSON can hold: to set a number takes about a microsecond and
        writes nothing. What is read is what JSON gives back, a new copy each time. The worker writes the latest one
        about once a second, and when the execution ends, however it ends: so after a crash the last 1.5 seconds of the
        loop are done again, and after an exception or a timeout nothing of it. Set it when an item is done.

        A requeue keeps it, unless with ``restart=True``. Outside a job it is an attribute of this context alone.

        Raises:
            NotSerializable: JSON cannot hold what it is set to, or it has more than 100,000 bytes.
            StoreError: somebody has edited it in the file, and it is no JSON.

        Example:
            >>> from gigq import Job, JobQueue, current_job
            >>> from gigq.testing import drain
            >>> def count() -> str:
            ...     job = current_job()
            ...     begun_at = job.cursor or 0
            ...     for number in range(begun_at, 10):
            ...         if number == 7 and job.attempt == 1:
            ...             raise ConnectionError
            ...         job.cursor = number + 1
            ...     return f"from {begun_at} to {job.cursor}"
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.submit(Job("Count", "count"))
            ...     executions = drain(queue, handlers={"count": count})
            ...     print(queue.result(job_id))
            from 7 to 10
        """
        text = self._claim.cursor if self._output.cursor is None else self._output.cursor
        try:
            return None if text is None else decode(text)
        except (ValueError, RecursionError):
            raise StoreError(
                f"the cursor of job {self.id} is {text!r:.80}, which gigq never wrote; mend it in the file, or requeue "
                "the job with restart=True"
            ) from None

    @cursor.setter
    def cursor(self, place: Any) -> None:
        self._output.cursor = cursor_of(place, self._tools and self._tools.default)
