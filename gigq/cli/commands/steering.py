"""The commands that steer queues and workers: `gigq pause`, `resume`, `configure`, `scale`, `stop`, `recover`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, LOOK, argument, command
from gigq.cli.commands.queues import limits_in_words
from gigq.cli.exits import Refused, UsageError
from gigq.cli.fields import DRY_RUN, QUEUE
from gigq.cli.questions import confirm, require_choice, sure
from gigq.clock import to_past
from gigq.durations import span
from gigq.handles import short
from gigq.status import UNFINISHED

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.queue_records import HeldJob, QueueRecord, WorkerRecord

_LIMITS = ("max_running", "rate_limit", "rate_period")
_QUEUE = argument("queue", metavar="QUEUE", nargs="?", completes="queues", help="only this queue")
_TWICE = "If the function of such a job is still running, the job runs twice."
_WORKER = argument("--worker", dest="worker_id", metavar="ID", completes="workers", help="only this worker")


@command(
    _QUEUE,
    *sure(all="every queue"),
    opens=CHANGE,
    fields=("queue", "paused", *DRY_RUN),
    check=lambda args: require_choice(args, args.queue is not None, choices="the name of a queue"),
    examples=[("gigq pause mail", "one queue"), ("gigq pause --all", "everything, until gigq resume")],
)
def pause(queue: JobQueue, args: Args) -> Answer:
    """Stop workers from claiming jobs from one queue, or from all.

    Running jobs go on.
    The pause lasts until resume, for new jobs and new workers too.
    """
    if args.all or args.dry_run:
        meant = [each for each in queue.queues() if args.queue in (None, each.name)]
        samples = [f"{each.name}: {each.ready:,} ready, {each.running:,} running" for each in meant]
        what = "pause every queue, those to come included" if args.queue is None else f"pause queue {args.queue}"
        if answer := confirm(args, "pause", len(meant), samples, noun="queue", what=what):
            return answer
    return _set_paused(queue, args.queue, is_paused=True)


@command(
    _QUEUE,
    argument("--all", action="store_true", help="every queue, which is the default"),
    opens=CHANGE,
    fields=("queue", "paused", "still_paused"),
    check=lambda args: _check_resume(args),
    examples=[("gigq resume", "end the pause of all queues")],
)
def resume(queue: JobQueue, args: Args) -> Answer:
    """Let workers claim jobs again, from one queue or from all.

    Resuming all queues does not resume those that were paused by name; it says which these are.
    """
    return _set_paused(queue, args.queue, is_paused=False)


@command(
    argument("queue", metavar="QUEUE", nargs="?", completes="queues",
             help="the name of the queue, which need not have jobs yet"),
    argument("--max-running", metavar="N", type=values.limited,
             help="how many of its jobs may run at a time, in all workers together, or none for no limit"),
    argument("--rate-limit", metavar="N", type=values.limited,
             help="how many of its jobs may start within any --rate-period, in all workers together, or none for no "
                  "limit"),
    argument("--rate-period", metavar="DURATION", type=values.duration,
             help="the period of --rate-limit, at first 1s"),
    opens=lambda args: CHANGE if args.given(*_LIMITS) else LOOK,
    fields=QUEUE,
    check=lambda args: _check_configure(args),
    examples=[
        ("gigq configure mail --rate-limit 100 --rate-period 1m", "at most 100 jobs a minute"),
        ("gigq configure", "the limits of all queues"),
    ],
)  # fmt: skip
def configure(queue: JobQueue, args: Args) -> Answer:
    """Change a queue's limits, and show them.

    What is not given stays.
    Without options, nothing changes; without QUEUE too, the limits of all queues are shown.
    """
    if args.queue is not None:
        record = queue.configure(args.queue, **args.given(*_LIMITS))
        return Answer(record, [_limits_of(record)])
    limited = [each for each in queue.queues() if limits_in_words(each)]
    return Answer(limited, map(_limits_of, limited) if limited else ["No queue has limits."])


@command(
    argument("concurrency", metavar="N", type=values.at_least_one, help="how many jobs may run at a time"),
    _WORKER,
    *sure(all="every worker"),
    opens=CHANGE,
    fields=("asked", "concurrency", *DRY_RUN),
    check=lambda args: _check_workers(args),
    examples=[("gigq scale 8 --worker web-1", "one worker"), ("gigq scale 1 --all", "every worker")],
)
def scale(queue: JobQueue, args: Args) -> Answer:
    """Set how many jobs workers run at a time.

    They do so within a second, and until they end.
    """
    if answer := _confirmed(queue, args, "scale"):
        return answer
    asked = queue.scale(args.concurrency, **args.given("worker_id"))
    line = f"Workers asked to run {args.concurrency} at a time: {asked}"
    return _asked(args, asked, {"concurrency": args.concurrency}, line)


@command(
    _WORKER,
    argument("--now", action="store_true", help="give running jobs back at once"),
    *sure(all="every worker"),
    opens=CHANGE,
    fields=("asked", "graceful", *DRY_RUN),
    check=lambda args: _check_workers(args),
    examples=[
        ("gigq stop --worker web-1", "one worker, once its jobs have ended"),
        ("gigq stop --all --yes", "every worker, in a script"),
    ],
)
def stop(queue: JobQueue, args: Args) -> Answer:
    """Ask workers to stop.

    They do so within a second.
    Running jobs may finish within the worker's --shutdown-timeout; those that do not are given back to the queue.
    """
    if answer := _confirmed(queue, args, "stop"):
        return answer
    asked = queue.stop_workers(**args.given("worker_id"), graceful=not args.now)
    return _asked(args, asked, {"graceful": not args.now}, f"Workers asked to stop: {asked}")


@command(
    argument(
        "--older-than", metavar="DURATION", type=values.older_than,
        help="also jobs that have been running for at least this long, or since before this instant (ISO 8601), even "
        "if their worker lives; they may run twice",
    ),
    *sure(),
    opens=CHANGE,
    fields=("recovered", *DRY_RUN),
    examples=[("gigq recover --older-than 2h --dry-run", "what has been running for more than two hours?")],
)  # fmt: skip
def recover(queue: JobQueue, args: Args) -> Answer:
    """Recover the jobs of dead workers, and print how many.

    A worker counts as dead only if its process has ended for certain.
    Running workers do this themselves; the command is for when none runs.
    """
    from gigq.queue.stuck import stuck

    if args.older_than is not None or args.dry_run:
        now = queue.clock.now()
        before = None if args.older_than is None else to_past(args.older_than, "--older-than", now=now)
        meant = stuck(queue.database, before=before)
        samples = [_held(job, now) for job in meant]
        if answer := confirm(
            args, "recover", len(meant), samples, ids=[job.id for job in meant], warning=_TWICE
        ):
            return answer
    recovered = queue.requeue_stuck(**args.given("older_than"))
    return Answer({"recovered": int(recovered)}, [f"Jobs recovered: {recovered:,}"])


def _limits_of(queue: QueueRecord) -> str:
    return f"Queue {queue.name}: {limits_in_words(queue) or 'no limits'}"


def _set_paused(queue: JobQueue, name: str | None, *, is_paused: bool) -> Answer:
    now = (queue.pause if is_paused else queue.resume)(name)
    is_idle = name is not None and not queue.count(UNFINISHED, queue=name, at_most=1)
    still = [each.name for each in now if each.is_paused and not is_paused]
    but = _still(name, still) if still else "; it has no unfinished jobs" if is_idle else ""
    done = "paused" if is_paused else "resumed"
    value = {"queue": name, "paused": is_paused} | ({} if is_paused else {"still_paused": still})
    what = "All queues" if name is None else f"Queue {name}"
    undo = [f"gigq resume{f' {name}' if name else ''}"] if is_paused else []
    return Answer(value, [f"{what} {done}{but}"], suggestions=undo)


def _still(name: str | None, queues: Sequence[str]) -> str:
    if name is None:
        return f", but not those paused by name: {', '.join(queues)}"
    return ", but it stays paused with all others; `gigq resume` without a name ends that"


def _check_resume(args: Args) -> None:
    if args.all:
        require_choice(args, args.queue is not None, choices="the name of a queue")


def _check_configure(args: Args) -> None:
    if args.queue is None and args.given(*_LIMITS):
        raise UsageError("give the name of the queue whose limits are to change")


def _check_workers(args: Args) -> None:
    require_choice(args, args.worker_id is not None, choices="--worker ID")


def _confirmed(queue: JobQueue, args: Args, verb: str) -> Answer | None:
    """Ask about workers, unless one was named; see `confirm`."""
    meant = [each for each in queue.workers() if args.worker_id in (None, each.id) and each.mode != "manual"]
    if not meant:
        raise Refused(_why_none(args))
    is_asked = args.worker_id is None
    if is_asked or args.dry_run:
        return confirm(args, verb, len(meant), [*map(_worker, meant)], noun="worker")
    return None


def _worker(worker: WorkerRecord) -> str:
    return f"{worker.id}: {worker.running} of {worker.concurrency} slots taken"


def _asked(args: Args, asked: int, wish: dict[str, Any], line: str) -> Answer:
    if not asked:
        raise Refused(_why_none(args))
    return Answer({"asked": asked, **wish}, [line], suggestions=["gigq workers"])


def _why_none(args: Args) -> str:
    if args.worker_id is not None:
        return f"no worker has the id {args.worker_id!r}; `gigq workers` lists all"
    return f"there is no worker at {args.path!r}"


def _held(job: HeldJob, now: datetime) -> str:
    since = f", for {span((now - job.started_at).total_seconds())}" if job.started_at else ""
    return f"{short(job.id)}  {job.name}{since}"
