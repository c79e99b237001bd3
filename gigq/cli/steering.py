"""The commands that change what is to be done: `gigq cancel`, `gigq requeue`, `gigq clear`."""

from __future__ import annotations

from datetime import datetime, timedelta

from gigq.cli import values
from gigq.cli.call import Call, Refused
from gigq.cli.commands import Commands, add_command, add_id
from gigq.records import JobRecord
from gigq.status import JobStatus


def declare(commands: Commands) -> None:
    """Add the commands."""
    _declare_cancel(commands)
    add_id(add_command(commands, "requeue", requeue))
    add_command(commands, "clear", clear).add_argument(
        "--before",
        metavar="DAYS",
        type=values.age,
        help="only those that ended so many days ago, or so long, such as 12h; default: all",
    )


def _declare_cancel(commands: Commands) -> None:
    parser = add_command(commands, "cancel", cancel)
    add_id(parser)
    parser.add_argument("--running", action="store_true", help="cancel it also if it runs; its function is interrupted")


def cancel(call: Call) -> None:
    """Cancel a pending job, and the jobs that need it."""
    with call.open_queue() as queue:
        job = call.job(queue)
        if not queue.cancel(job.id, **call.given("running")):
            raise Refused(_why_not_cancelled(queue.get_job(job.id), job))
    call.answer({"id": job.id, "cancelled": True}, [f"Job cancelled: {job.id}"])


def requeue(call: Call) -> None:
    """Send a failed, timed-out or cancelled job back, its attempts counted from 0.

    Jobs that were cancelled because of it come back with it.
    """
    with call.open_queue() as queue:
        job = call.job(queue)
        if not queue.requeue_job(job.id):
            raise Refused(_why_not_requeued(queue.get_job(job.id), job))
    call.answer({"id": job.id, "requeued": True}, [f"Job requeued: {job.id}"])


def clear(call: Call) -> None:
    """Delete completed and cancelled jobs, and print how many.

    A job stays while another that depends on it may still run.
    """
    with call.open_queue() as queue:
        seconds = call.given("before").get("before")
        before = None if seconds is None else _so_long_ago(seconds, now=queue.clock.now())
        cleared = queue.clear_completed(before)
    call.answer({"cleared": cleared}, [f"Jobs cleared: {cleared}"])


def _status_now(job: JobRecord | None) -> str:
    return "gone" if job is None else job.status.value


def _why_not_cancelled(now: JobRecord | None, job: JobRecord) -> str:
    status = _status_now(now)
    if status == JobStatus.RUNNING:
        return f"job {job.id} is running; --running cancels it nevertheless"
    return f"job {job.id} is {status}; only a pending or running job can be cancelled"


def _why_not_requeued(now: JobRecord | None, job: JobRecord) -> str:
    status = _status_now(now)
    if status in (JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELLED):
        return f"job {job.id} needs a job that ended badly; requeue that one: {job.error}"
    return f"job {job.id} is {status}; only a failed, timeout or cancelled job can be requeued"


def _so_long_ago(seconds: float, *, now: datetime) -> datetime:
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{seconds:g} seconds ago lies before the year 1") from None
