"""The commands that change what becomes of jobs: `gigq cancel`, `requeue`, `dead requeue`, `reschedule`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.bulk import GROUP, Verb, carried_out, check, to_named
from gigq.cli.choosing import job_ids
from gigq.cli.command import CHANGE, argument, command, exclusive
from gigq.cli.exits import UsageError
from gigq.cli.fields import of_bulk
from gigq.cli.questions import sure
from gigq.cli.selecting import selection
from gigq.status import DEAD, ENDED_BADLY, UNFINISHED, JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

_FORGOTTEN = "What is forgotten of its steps cannot be brought back."
_DELAY = argument(
    "--delay", metavar="DURATION", type=values.duration, help="do not start the jobs before this time has passed"
)
_CHANGES = ("run_at", "delay", "priority", "queue")


@command(
    *selection(UNFINISHED),
    argument("--running", action="store_true", help="also running jobs; their functions are interrupted"),
    *sure(all="every pending job, and with --running every running one"),
    opens=CHANGE,
    fields=of_bulk("cancelled"),
    check=check,
    examples=[
        ("gigq cancel 3f9a1c04", "one job, by the end of its ID"),
        ("gigq cancel --queue mail --dry-run", "how many jobs that would be, and which"),
        ("gigq list -q --tag nightly | gigq cancel - --yes", "the jobs that another command prints, in a script"),
    ],
)
def cancel(queue: JobQueue, args: Args) -> Answer:
    """Cancel pending jobs, and the jobs that depend on them.

    Give IDs, or filters.
    Jobs that are submitted after you were asked are not among those that filters choose.
    """
    running = args.given("running")
    verb = Verb(
        name="cancel",
        done="cancelled",
        statuses=UNFINISHED if running else (JobStatus.PENDING,),
        one=lambda job_id: queue.cancel(job_id, **running),
        why_not=lambda job_id: _why_not_cancelled(queue, job_id),
        many=partial(queue.cancel_jobs, **running),
    )
    return carried_out(queue, args, verb)


@command(
    *selection(ENDED_BADLY),
    GROUP,
    _DELAY,
    exclusive(
        argument("--restart", action="store_true", help="forget the job's steps and its cursor; only with an ID"),
        argument("--from-step", metavar="NAME",
                 help="forget the step of this name and all that were completed after it; only with an ID"),
    ),
    *sure(all="every job that failed, timed out or was cancelled"),
    opens=CHANGE,
    fields=of_bulk("requeued"),
    check=lambda args: _check_requeue(args),
    examples=[
        ("gigq requeue 3f9a1c04", "one job, by the end of its ID"),
        ("gigq requeue --group 4f1c2a", "all jobs that failed for one reason: see gigq errors"),
        ("gigq requeue status:failed error:ConnectionError since:2h", "what an outage has broken"),
    ],
)  # fmt: skip
def requeue(queue: JobQueue, args: Args) -> Answer:
    """Send failed, timed-out or cancelled jobs back to the queue.

    Give IDs, or filters.
    Attempts are counted from 0 again.
    Jobs that were cancelled because of a requeued job come back with it.
    A job goes on where it failed: it keeps its steps and its cursor.
    """
    verb = _requeuing(queue, ENDED_BADLY, args.given("delay"), args.given("restart", "from_step"))
    return carried_out(queue, args, verb)


@command(
    *selection(DEAD),
    GROUP,
    _DELAY,
    *sure(all="every dead letter"),
    opens=CHANGE,
    fields=of_bulk("requeued"),
    check=check,
    examples=[
        ("gigq dead requeue --group 2a19c79f", "the jobs of one group of gigq dead"),
        ("gigq dead requeue error:ConnectionError --delay 5m", "those that could not connect, in five minutes"),
    ],
)
def dead_requeue(queue: JobQueue, args: Args) -> Answer:
    """Send dead letters back to the queue.

    Give IDs, or filters.
    It is `gigq requeue` that leaves out what was cancelled.
    """
    return carried_out(queue, args, _requeuing(queue, DEAD, args.given("delay"), {}))


@command(
    argument("ids", metavar="ID", nargs="+", type=values.prefix, completes="jobs", help="a pending job"),
    argument("--run-at", metavar="INSTANT",
             help="do not start the job before this, such as 2026-01-31T09:00; in local time unless it names a zone"),
    argument("--delay", metavar="DURATION", type=values.duration,
             help="do not start the job before this time has passed; 0: it may start now"),
    argument("--priority", metavar="NUMBER", type=values.priority,
             help="higher goes first; a whole number, or low, normal, high or critical"),
    argument("--queue", metavar="NAME", completes="queues", help="the queue inside the file to move the job to"),
    opens=CHANGE,
    fields=of_bulk("rescheduled"),
    check=lambda args: _check_reschedule(args),
    examples=[("gigq reschedule - --priority high", "let the job that you submitted last go first")],
)  # fmt: skip
def reschedule(queue: JobQueue, args: Args) -> Answer:
    """Change when pending jobs run, their priority or their queue."""
    changes = args.given(*_CHANGES)

    def why_not(job_id: str) -> str:
        return f"job {job_id} {_is(_status_now(queue, job_id))}; only a pending job can be rescheduled"

    verb = Verb(
        name="reschedule",
        done="rescheduled",
        statuses=(JobStatus.PENDING,),
        one=lambda job_id: queue.reschedule(job_id, **changes),
        why_not=why_not,
    )
    return to_named(queue, args, verb, job_ids(queue, args.ids))


def _requeuing(
    queue: JobQueue, statuses: Sequence[JobStatus], delay: dict[str, Any], forgotten: dict[str, Any]
) -> Verb:
    return Verb(
        name="requeue",
        done="requeued",
        statuses=statuses,
        one=lambda job_id: (
            _status_now(queue, job_id) in statuses and queue.requeue_job(job_id, **delay, **forgotten)
        ),
        why_not=lambda job_id: _why_not_requeued(queue, job_id, statuses),
        many=None if forgotten else partial(queue.requeue_jobs, **delay),
        warning=_FORGOTTEN if forgotten else "",
    )


def _check_requeue(args: Args) -> None:
    if (args.restart or args.from_step is not None) and not args.ids:
        raise UsageError("--restart and --from-step need the ID of one job")
    check(args)


def _check_reschedule(args: Args) -> None:
    if not args.given(*_CHANGES):
        raise UsageError("nothing to change; give --run-at, --delay, --priority or --queue")


def _status_now(queue: JobQueue, job_id: str) -> str:
    job = queue.get_job(job_id)
    return "gone" if job is None else job.status.value


def _is(status: str) -> str:
    return "has timed out" if status == JobStatus.TIMEOUT else f"is {status}"


def _why_not_cancelled(queue: JobQueue, job_id: str) -> str:
    status = _status_now(queue, job_id)
    if status == JobStatus.RUNNING:
        return f"job {job_id} is running; add --running to cancel it"
    return f"job {job_id} {_is(status)}; only a pending or running job can be cancelled"


def _why_not_requeued(queue: JobQueue, job_id: str, statuses: Sequence[JobStatus]) -> str:
    job = queue.get_job(job_id)
    if job is not None and job.status == JobStatus.CANCELLED and job.status not in statuses:
        return f"job {job_id} is cancelled, and no dead letter; gigq requeue sends it back"
    if job is None or job.status not in ENDED_BADLY:
        status = "gone" if job is None else job.status.value
        return f"job {job_id} {_is(status)}; only a failed, timed-out or cancelled job can be requeued"
    if job.unique_key is None:
        return f"job {job_id} depends on a job that ended badly; requeue that one: {job.error}"
    key = f"an unfinished job has its key {job.unique_key!r}"
    return f"job {job_id} depends on a job that ended badly, or {key}: {job.error}"
