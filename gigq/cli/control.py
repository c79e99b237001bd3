"""The commands that change what becomes of jobs: `gigq cancel`, `gigq requeue`, `gigq reschedule`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.call import Call, Refused, UsageError
from gigq.cli.commands import Command, Parser
from gigq.cli.options import FILTERS, add_id, add_id_or_filters
from gigq.status import ENDED_BADLY, UNFINISHED, JobStatus

if TYPE_CHECKING:
    from gigq.records import JobRecord

_FILTERS = ("status", *FILTERS)
_CHANGES = ("run_at", "delay", "priority", "queue")


def _cancel_options(parser: Parser) -> None:
    add_id_or_filters(parser, statuses=UNFINISHED)
    parser.add_argument("--running", action="store_true", help="also running jobs; their functions are interrupted")


def cancel(call: Call) -> None:
    """Cancel pending jobs, and the jobs that depend on them.

    Give either the ID of one job, or filters.
    """
    running = call.given("running")
    if _is_by_filter(call):
        with call.open_queue() as queue:
            number = queue.cancel_jobs(**running, **call.resolved(queue, call.given(*_FILTERS)))
        return call.answer({"cancelled": number}, [f"Jobs cancelled: {number}"])
    with call.open_queue() as queue:
        job = call.job(queue)
        if not queue.cancel(job.id, **running):
            raise Refused(_why_not_cancelled(queue.get_job(job.id), job))
    call.answer({"id": job.id, "cancelled": True}, [f"Job {job.id} cancelled."])


def _requeue_options(parser: Parser) -> None:
    add_id_or_filters(parser, statuses=ENDED_BADLY)
    parser.add_argument(
        "--delay", metavar="DURATION", type=values.duration, help="do not start the jobs before this time has passed"
    )
    parser.add_argument("--restart", action="store_true", help="forget the job's steps and its cursor; only with an ID")
    parser.add_argument(
        "--from-step", metavar="NAME",
        help="forget the step of this name and all that were completed after it; only with an ID",
    )  # fmt: skip


def requeue(call: Call) -> None:
    """Send failed, timed-out or cancelled jobs back to the queue.

    Give either the ID of one job, or filters.
    Attempts are counted from 0 again.
    Jobs that were cancelled because of a requeued job come back with it.
    A job goes on where it failed: it keeps its steps and its cursor.
    """
    delay, forgotten = call.given("delay"), call.given("restart", "from_step")
    if len(forgotten) > 1:
        raise UsageError("give either --restart or --from-step")
    if forgotten and not call.given("id"):
        raise UsageError("--restart and --from-step need the ID of one job")
    if _is_by_filter(call):
        with call.open_queue() as queue:
            number = queue.requeue_jobs(**delay, **call.resolved(queue, call.given(*_FILTERS)))
        return call.answer({"requeued": number}, [f"Jobs requeued: {number}"])
    with call.open_queue() as queue:
        job = call.job(queue)
        if not queue.requeue_job(job.id, **delay, **forgotten):
            raise Refused(_why_not_requeued(queue.get_job(job.id), job))
    call.answer({"id": job.id, "requeued": True}, [f"Job {job.id} requeued."])


def _reschedule_options(parser: Parser) -> None:
    add_id(parser)
    add = parser.add_argument
    # fmt: off
    add("--run-at", metavar="INSTANT",
        help="do not start the job before this, such as 2026-01-31T09:00; in local time unless it names a zone")
    add("--delay", metavar="DURATION", type=values.duration,
        help="do not start the job before this time has passed; 0: it may start now")
    add("--priority", metavar="NUMBER", type=values.priority,
        help="higher goes first; a whole number, or low, normal, high or critical")
    add("--queue", metavar="NAME", help="the queue inside the file to move the job to")
    # fmt: on


def reschedule(call: Call) -> None:
    """Change when a pending job runs, its priority or its queue."""
    changes = call.given(*_CHANGES)
    if not changes:
        raise UsageError("nothing to change; give --run-at, --delay, --priority or --queue")
    with call.open_queue() as queue:
        job = call.job(queue)
        if not queue.reschedule(job.id, **changes):
            status = _status_now(queue.get_job(job.id))
            raise Refused(f"job {job.id} is {status}; only a pending job can be rescheduled")
    call.answer({"id": job.id, "rescheduled": True}, [f"Job {job.id} rescheduled."])


def _is_by_filter(call: Call) -> bool:
    """Whether filters were typed, and no ID.

    Raises:
        UsageError: both were typed, or neither.
    """
    filters = call.given(*_FILTERS)
    if bool(call.given("id")) == bool(filters):
        raise UsageError("give either an ID or filters, such as --queue NAME")
    return bool(filters)


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


COMMANDS = {
    "cancel": Command(cancel, _cancel_options),
    "requeue": Command(requeue, _requeue_options),
    "reschedule": Command(reschedule, _reschedule_options),
}
