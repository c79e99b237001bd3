"""The commands that change what is to be done: `gigq cancel`, `gigq requeue`, `gigq reschedule`."""

from __future__ import annotations

from collections.abc import Sequence

from gigq.cli import values
from gigq.cli.call import Call, Refused, UsageError
from gigq.cli.commands import Commands, Parser, add_command, add_id
from gigq.records import JobRecord
from gigq.status import ENDED_BADLY, UNFINISHED, JobStatus

FILTERS = ("queue", "name", "tags", "search")

_MOVES = ("run_at", "delay", "priority", "queue")


def declare(commands: Commands) -> None:
    """Add the commands."""
    _declare_cancel(commands)
    _declare_requeue(commands)
    _declare_reschedule(commands)


def add_filters(parser: Parser, *, statuses: Sequence[JobStatus] = ()) -> None:
    """Add the options that choose among jobs; with several statuses, also by these."""
    add = parser.add_argument
    # fmt: off
    if statuses:
        add("--status", action="append", choices=[each.value for each in statuses], help="repeatable: any of them")
    add("--queue", metavar="NAME", help="only of this queue")
    add("--name", help="only with exactly this name")
    add("--tag", dest="tags", metavar="TAG", action="append", help="only with this tag, repeatable: all of them")
    add("--search", metavar="TEXT",
        help="only with this text in the id, name, description, function, arguments or error")
    # fmt: on


def _declare_cancel(commands: Commands) -> None:
    parser = add_command(commands, "cancel", cancel)
    _add_optional_id(parser)
    parser.add_argument("--running", action="store_true", help="also what runs; its function is interrupted")
    add_filters(parser, statuses=UNFINISHED)


def _declare_requeue(commands: Commands) -> None:
    parser = add_command(commands, "requeue", requeue)
    _add_optional_id(parser)
    parser.add_argument("--delay", metavar="DURATION", type=values.duration, help="not before so much time has passed")
    add_filters(parser, statuses=ENDED_BADLY)


def _declare_reschedule(commands: Commands) -> None:
    parser = add_command(commands, "reschedule", reschedule)
    add_id(parser)
    add = parser.add_argument
    # fmt: off
    add("--run-at", metavar="INSTANT", help="not before, such as 2026-01-31T09:00; without a zone it is local time")
    add("--delay", metavar="DURATION", type=values.duration, help="not before so much time has passed; 0: now")
    add("--priority", metavar="NUMBER", type=values.priority, help="larger goes first; or low, normal, high, critical")
    add("--queue", metavar="NAME", help="the queue inside the file")
    # fmt: on


def _add_optional_id(parser: Parser) -> None:
    parser.add_argument(
        "id",
        metavar="ID",
        nargs="?",
        type=values.prefix,
        help="the job's id, or a beginning that no other id has; or no id, but filters",
    )


def cancel(call: Call) -> None:
    """Cancel a pending job, or all that pass the filters, and the jobs that need them."""
    running = call.given("running")
    if _is_by_filter(call):
        with call.open_queue() as queue:
            number = queue.cancel_jobs(**running, **call.given("status", *FILTERS))
        return call.answer({"cancelled": number}, [f"Jobs cancelled: {number}"])
    with call.open_queue() as queue:
        job = call.job(queue)
        if not queue.cancel(job.id, **running):
            raise Refused(_why_not_cancelled(queue.get_job(job.id), job))
    call.answer({"id": job.id, "cancelled": True}, [f"Job cancelled: {job.id}"])


def requeue(call: Call) -> None:
    """Send a failed, timed-out or cancelled job back, or all that pass the filters, attempts counted from 0.

    Jobs that were cancelled because of one come back with it.
    """
    delay = call.given("delay")
    if _is_by_filter(call):
        with call.open_queue() as queue:
            number = queue.requeue_jobs(**delay, **call.given("status", *FILTERS))
        return call.answer({"requeued": number}, [f"Jobs requeued: {number}"])
    with call.open_queue() as queue:
        job = call.job(queue)
        if not queue.requeue_job(job.id, **delay):
            raise Refused(_why_not_requeued(queue.get_job(job.id), job))
    call.answer({"id": job.id, "requeued": True}, [f"Job requeued: {job.id}"])


def reschedule(call: Call) -> None:
    """Change when, how urgently or in which queue a pending job runs."""
    changes = call.given(*_MOVES)
    if not changes:
        raise UsageError("nothing to change; give --run-at, --delay, --priority or --queue")
    with call.open_queue() as queue:
        job = call.job(queue)
        if not queue.reschedule(job.id, **changes):
            status = _status_now(queue.get_job(job.id))
            raise Refused(f"job {job.id} is {status}; only a pending job can be rescheduled")
    call.answer({"id": job.id, "rescheduled": True}, [f"Job rescheduled: {job.id}"])


def _is_by_filter(call: Call) -> bool:
    """Whether filters were typed and no id.

    Raises:
        UsageError: both were, or neither.
    """
    filters = call.given("status", *FILTERS)
    if bool(call.given("id")) == bool(filters):
        raise UsageError("give either an ID or filters, such as --queue NAME")
    return bool(filters)


def _status_now(job: JobRecord | None) -> str:
    return "gone" if job is None else job.status.value


def _why_not_cancelled(now: JobRecord | None, job: JobRecord) -> str:
    status = _status_now(now)
    if status == JobStatus.RUNNING:
        return f"job {job.id} is running; --running cancels it nevertheless"
    return f"job {job.id} is {status}; only a pending or running job can be cancelled"


def _why_not_requeued(now: JobRecord | None, job: JobRecord) -> str:
    status = _status_now(now)
    if status not in ENDED_BADLY:
        return f"job {job.id} is {status}; only a failed, timeout or cancelled job can be requeued"
    if job.unique_key is None:
        return f"job {job.id} needs a job that ended badly; requeue that one: {job.error}"
    key = f"an unfinished job has its key {job.unique_key!r}"
    return f"job {job.id} needs a job that ended badly, or {key}: {job.error}"
