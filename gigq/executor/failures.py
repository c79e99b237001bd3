"""The exceptions of calls that have not completed, as the futures raise them."""

from __future__ import annotations

from concurrent.futures import CancelledError

from gigq.claims import Claim
from gigq.errors import JobFailed
from gigq.queue.waiting import result_of
from gigq.records import JobRecord
from gigq.reports import Report
from gigq.runtime.raised import RemoteTraceback, rebuilt
from gigq.runtime.watch import GIVEN_BACK
from gigq.status import ExecutionStatus, JobStatus


def of_report(claim: Claim, report: Report) -> BaseException:
    """Return what the function has raised in another process, or else a `JobFailed` that says how the job ended."""
    if report.status is ExecutionStatus.CANCELLED:
        return CancelledError(report.error)
    return rebuilt(report.raised, report.traceback) or _failed(claim, report)


def of_record(job: JobRecord) -> BaseException:
    """Return the exception of a job that others have ended."""
    if job.status is JobStatus.CANCELLED:
        return CancelledError(job.error)
    try:
        result_of(job)
    except JobFailed as error:
        return error
    raise ValueError(f"job {job.id} has completed")


def of_deleted(job_id: str) -> JobFailed:
    """Return the exception of a job that somebody has deleted."""
    return JobFailed(f"job {job_id} was deleted before it had ended", job_id=job_id, status="cancelled")


def of_left() -> CancelledError:
    """Return the exception of a call that an interrupt has given back to the file."""
    return CancelledError("the executor was interrupted, and has not waited for this call")


def of_rival(pid: int) -> RuntimeError:
    """Return the exception of a run whose name another process has taken."""
    return RuntimeError(f"process {pid} has taken over this executor, which had been silent for too long")


def of_setup(report: Report) -> str:
    """Return what went wrong before the first call."""
    return (report.error or "").removeprefix(GIVEN_BACK)


def _failed(claim: Claim, report: Report) -> JobFailed:
    status = JobStatus.TIMEOUT if report.status is ExecutionStatus.TIMEOUT else JobStatus.FAILED
    error = JobFailed(
        f"job {claim.job_id} ({claim.name}) ended as {status}: {report.error}",
        job_id=claim.job_id,
        status=status.value,
        error_type=report.error_type,
        traceback=report.traceback,
    )
    if report.traceback:
        error.__cause__ = RemoteTraceback(report.traceback)
    return error
