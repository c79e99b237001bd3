"""What can go wrong, as a tree of exceptions, and the two signals that a job may raise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gigq.clock import Duration


class GigqError(Exception):
    """Anything that gigq itself raises."""


class JobNotFound(GigqError, LookupError):
    """No job has this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job has the id {job_id!r}")
        self.job_id = job_id


class InvalidJob(GigqError, ValueError):
    """A job that cannot be stored as it is; nothing was stored."""


class NotImportable(InvalidJob, ImportError):
    """The function cannot be named, or cannot be found again by its name."""


class NotSerializable(InvalidJob, TypeError):
    """A value that JSON cannot hold; the message says where it stands."""


class UnknownParent(InvalidJob):
    """A dependency names a job that is not in the queue."""


class CyclicWorkflow(InvalidJob):
    """The jobs of a workflow wait for each other in a circle."""


class JobNotFinished(GigqError, TimeoutError):
    """The time given to wait ran out before the job had ended; the job goes on."""


class JobFailed(GigqError, RuntimeError):
    """The job ended without a result.

    Attributes:
        job_id: the job.
        status: how it ended: ``failed``, ``timeout`` or ``cancelled``.
        error_type: the class of the last exception, or None.
        traceback: of the last execution, or None.
    """

    def __init__(
        self, message: str, *, job_id: str, status: str, error_type: str | None = None, traceback: str | None = None
    ) -> None:
        super().__init__(message)
        self.job_id = job_id
        self.status = status
        self.error_type = error_type
        self.traceback = traceback


class JobTimeout(GigqError):
    """Raised inside a job at its deadline."""


class JobCancelled(GigqError):
    """Raised inside a job that is no longer wanted: cancelled, or taken over after this worker was held dead."""


class LeaseLost(GigqError):
    """This execution has been ended by someone else; the report about it changes nothing."""


class StoreError(GigqError):
    """The file could not be read or written; what was being written is not there."""


class QueueBusy(StoreError, TimeoutError):
    """The write lock was not to be had within the queue's ``timeout``."""


class QueueGone(StoreError):
    """The file was deleted or replaced while it was open."""


class NotAQueue(StoreError):
    """The file holds no queue of ours: not a database, another application's tables, or too new a version."""


class RetryLater(Exception):
    """Raise it in a job to give the job back unfinished: this attempt does not count.

    Args:
        delay: seconds until the job may run again, or a timedelta.
        reason: kept with the execution, for people.
    """

    def __init__(self, delay: Duration = 0.0, reason: str = "") -> None:
        from gigq.clock import to_seconds  # only here: every command needs this module, and few need a clock

        super().__init__(reason or "to be tried later")
        self.delay = to_seconds(delay)


class GiveUp(Exception):
    """Raise it in a job to fail the job for good, whatever attempts are left."""
