"""The tree of exceptions that gigq raises, those that stop a job, and those by which a job says how to settle it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gigq.clock import Duration
    from gigq.handles import Candidate


class GigqError(Exception):
    """The base of everything that gigq raises, except what is raised inside jobs to stop them.

    Attributes:
        is_final: whether a job that raises it fails for good, whatever its rules for retries say.
    """

    is_final = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self.args, self.__dict__)


def _remade(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    """Return an error that was pickled, as it was; its own arguments are not its message."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class JobNotFound(GigqError, KeyError):
    """No job has this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job has the id {job_id!r:.80}")
        self.job_id = job_id

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError shows the repr of its message


class WorkflowNotFound(GigqError, KeyError):
    """No workflow has this id: it was never submitted, or the last of its jobs was deleted."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            f"no workflow has the id {workflow_id!r:.80}: it was never submitted, or the last of its jobs was deleted"
        )
        self.workflow_id = workflow_id

    def __str__(self) -> str:
        return str(self.args[0])


class AmbiguousId(GigqError, ValueError):
    """Several jobs have an id that begins or ends with the text that was given for one.

    Attributes:
        handle: that text.
        candidates: the jobs that it may mean, at most 10, the newest first.
    """

    def __init__(self, handle: str, candidates: Sequence[Candidate], *, are_all: bool = True) -> None:
        told = [f"{each.id:.80} ({each.name!r:.40}, {each.status})" for each in candidates]
        shown = "; ".join(told if are_all else [*told, "and others"])
        several = f"{len(candidates)} jobs" if are_all else "several jobs"
        super().__init__(f"{several} have ids that begin or end with {handle!r:.80}; give more of it: {shown}")
        self.handle = handle
        self.candidates = tuple(candidates)


class InvalidJob(GigqError, ValueError):
    """The job cannot be stored as it is; nothing was stored."""


class NotImportable(InvalidJob, ImportError):
    """The function has no name by which a worker can import it."""


class NotSerializable(InvalidJob, TypeError):
    """A value that JSON cannot hold; the message says where in the whole it is."""


class UnknownParent(InvalidJob):
    """A dependency names a job that is not in the queue."""


class CyclicWorkflow(InvalidJob):
    """The jobs of a workflow wait for each other in a circle."""


class InvalidFilter(GigqError, ValueError):
    """A filter that was typed cannot be understood.

    Attributes:
        text: all that was typed.
        start, end: where in it the word is that cannot be understood.
    """

    def __init__(self, message: str, *, text: str, start: int, end: int) -> None:
        super().__init__(message)
        self.text = text
        self.start = start
        self.end = end


class JobNotFinished(GigqError, TimeoutError):
    """The timeout of `wait` passed before the job had ended; the job goes on."""


class JobFailed(GigqError, RuntimeError):
    """The job ended without a result.

    Attributes:
        job_id: the id of the job.
        status: how it ended: ``failed``, ``timeout`` or ``cancelled``.
        error_type: the class of the last exception; None if there was none.
        traceback: the traceback of the last exception; None if there was none.
    """

    def __init__(
        self, message: str, *, job_id: str, status: str, error_type: str | None = None, traceback: str | None = None
    ) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.status = status
        self.error_type = error_type
        self.traceback = traceback


class JobTimeout(BaseException):
    """Raised inside a job at its deadline, and again while its function goes on.

    Not an `Exception`, so that ``except Exception`` around one item of many does not swallow it.
    """


class JobCancelled(BaseException):
    """Raised inside a job that was cancelled, or taken from this worker because others considered it dead.

    Not an `Exception`, and raised again while the function goes on, as `JobTimeout` is.
    """


class StepChanged(GigqError):
    """A step is called with other arguments than the ones its remembered result was made from.

    Another attempt would find the same, so it fails the job for good.
    """

    is_final = True


class TransactionTimeout(GigqError, TimeoutError):
    """A job had its transaction open for longer than the limit of it; all that it has written is rolled back."""


class LeaseLost(GigqError):
    """Another process has ended this execution; the report about it changes nothing."""


class StoreError(GigqError):
    """The file could not be read or written. Nothing of what was being written is in it."""


class QueueBusy(StoreError, TimeoutError):
    """Another process held the write lock for longer than the queue's ``timeout``."""


class ReadTooLong(StoreError, TimeoutError):
    """A read was stopped because the time that it was given was over, and there is no part of it that could be used."""


class QueueGone(StoreError):
    """The file was deleted or replaced while it was open."""


class NotAQueue(StoreError):
    """The file is not a queue: no database, another application's tables, or a version that is too new."""


class DestinationExists(StoreError, FileExistsError):
    """There is a file already where a copy of the queue is to be made."""


class RetryLater(Exception):
    """Raise it in a job to give the job back unfinished. The attempt does not count.

    Args:
        delay: seconds until the job may run again, or a timedelta. At least a tenth of a second passes in any case, so
            that a job which waits for something does not keep the queue busy.
        reason: a text for people, kept with the execution.

    Example:
        >>> from gigq import JobQueue, RetryLater
        >>> from gigq.testing import drain
        >>> def busy() -> None:
        ...     raise RetryLater(60, "the printer is busy")
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.enqueue("print")
        ...     executions = drain(queue, handlers={"print": busy})
        ...     queue.get_status(job_id)["phase"], queue.get_status(job_id)["attempts"]
        ('scheduled', 0)
    """

    def __init__(self, delay: Duration = 1.0, reason: str = "") -> None:
        from gigq.clock import to_seconds  # only here: every command needs this module, and few need a clock

        super().__init__(str(reason) if reason else "to be tried later")
        self.delay = to_seconds(delay, "delay")


class GiveUp(Exception):
    """Raise it in a job to fail the job for good, even if attempts are left.

    Example:
        >>> from gigq import GiveUp, JobQueue
        >>> from gigq.testing import drain
        >>> def check() -> None:
        ...     raise GiveUp("there is no such account")
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.enqueue("check")
        ...     executions = drain(queue, handlers={"check": check})
        ...     queue.get_status(job_id)["status"], queue.get_status(job_id)["attempts"]
        ('failed', 1)
    """
