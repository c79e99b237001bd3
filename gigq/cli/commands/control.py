"""The commands that change what becomes of jobs: `gigq cancel`, `gigq requeue`, `gigq reschedule`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, argument, command
from gigq.cli.exits import Refused, UsageError
from gigq.cli.options import FILTERS, ONE_ID, id_or_filters
from gigq.status import ENDED_BADLY, UNFINISHED, JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.records import JobRecord

_FILTERS = ("status", *FILTERS)
_CHANGES = ("run_at", "delay", "priority", "queue")


@command(
    *id_or_filters(UNFINISHED),
    argument("--running", action="store_true", help="also running jobs; their functions are interrupted"),
    opens=CHANGE,
    fields=("id", "cancelled"),
    check=lambda args: _is_by_filter(args),
)
def cancel(queue: JobQueue, args: Args) -> Answer:
    """Cancel pending jobs, and the jobs that depend on them.

    Give either the ID of one job, or filters.
    """
    running = args.given("running")
    if _is_by_filter(args):
        number = queue.cancel_jobs(**running, **args.resolved(queue, args.given(*_FILTERS)))
        return Answer({"cancelled": number}, [f"Jobs cancelled: {number}"])
    job = args.job(queue)
    if not queue.cancel(job.id, **running):
        raise Refused(_why_not_cancelled(queue.get_job(job.id), job))
    return Answer({"id": job.id, "cancelled": True}, [f"Job {job.id} cancelled."], ids=[job.id])


@command(
    *id_or_filters(ENDED_BADLY),
    argument(
        "--delay", metavar="DURATION", type=values.duration, help="do not start the jobs before this time has passed"
    ),
    argument("--restart", action="store_true", help="forget the job's steps and its cursor; only with an ID"),
    argument(
        "--from-step", metavar="NAME",
        help="forget the step of this name and all that were completed after it; only with an ID",
    ),
    opens=CHANGE,
    fields=("id", "requeued"),
    check=lambda args: _check_requeue(args),
)  # fmt: skip
def requeue(queue: JobQueue, args: Args) -> Answer:
    """Send failed, timed-out or cancelled jobs back to the queue.

    Give either the ID of one job, or filters.
    Attempts are counted from 0 again.
    Jobs that were cancelled because of a requeued job come back with it.
    A job goes on where it failed: it keeps its steps and its cursor.
    """
    delay, forgotten = args.given("delay"), args.given("restart", "from_step")
    if _is_by_filter(args):
        number = queue.requeue_jobs(**delay, **args.resolved(queue, args.given(*_FILTERS)))
        return Answer({"requeued": number}, [f"Jobs requeued: {number}"])
    job = args.job(queue)
    if not queue.requeue_job(job.id, **delay, **forgotten):
        raise Refused(_why_not_requeued(queue.get_job(job.id), job))
    return Answer({"id": job.id, "requeued": True}, [f"Job {job.id} requeued."], ids=[job.id])


@command(
    ONE_ID,
    argument("--run-at", metavar="INSTANT",
        help="do not start the job before this, such as 2026-01-31T09:00; in local time unless it names a zone"),
    argument("--delay", metavar="DURATION", type=values.duration,
        help="do not start the job before this time has passed; 0: it may start now"),
    argument("--priority", metavar="NUMBER", type=values.priority,
        help="higher goes first; a whole number, or low, normal, high or critical"),
    argument("--queue", metavar="NAME", completes="queues", help="the queue inside the file to move the job to"),
    opens=CHANGE,
    fields=("id", "rescheduled"),
    check=lambda args: _check_reschedule(args),
)  # fmt: skip
def reschedule(queue: JobQueue, args: Args) -> Answer:
    """Change when a pending job runs, its priority or its queue."""
    job = args.job(queue)
    if not queue.reschedule(job.id, **args.given(*_CHANGES)):
        status = _status_now(queue.get_job(job.id))
        raise Refused(f"job {job.id} is {status}; only a pending job can be rescheduled")
    return Answer({"id": job.id, "rescheduled": True}, [f"Job {job.id} rescheduled."], ids=[job.id])


def _is_by_filter(args: Args) -> bool:
    """Whether filters were typed, and no ID.

    Raises:
        UsageError: both were typed, or neither.
    """
    filters = args.given(*_FILTERS)
    if bool(args.id) == bool(filters):
        raise UsageError("give either an ID or filters, such as --queue NAME")
    return bool(filters)


def _check_requeue(args: Args) -> None:
    if args.restart and args.from_step is not None:
        raise UsageError("give either --restart or --from-step")
    if (args.restart or args.from_step is not None) and not args.id:
        raise UsageError("--restart and --from-step need the ID of one job")
    _is_by_filter(args)


def _check_reschedule(args: Args) -> None:
    if not args.given(*_CHANGES):
        raise UsageError("nothing to change; give --run-at, --delay, --priority or --queue")


def _status_now(job: JobRecord | None) -> str:
    return "gone" if job is None else job.status.value


def _why_not_cancelled(now: JobRecord | None, job: JobRecord) -> str:
    status = _status_now(now)
    if status == JobStatus.RUNNING:
        return f"job {job.id} is running; add --running to cancel it"
    return f"job {job.id} is {status}; only a pending or running job can be cancelled"


def _why_not_requeued(now: JobRecord | None, job: JobRecord) -> str:
    status = _status_now(now)
    if status not in ENDED_BADLY:
        return f"job {job.id} is {status}; only a failed, timed-out or cancelled job can be requeued"
    if job.unique_key is None:
        return f"job {job.id} depends on a job that ended badly; requeue that one: {job.error}"
    key = f"an unfinished job has its key {job.unique_key!r}"
    return f"job {job.id} depends on a job that ended badly, or {key}: {job.error}"
