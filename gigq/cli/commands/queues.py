"""The commands for named queues: `gigq queues`, `gigq pause`, `gigq resume`, `gigq configure`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, LOOK, argument, command
from gigq.cli.exits import UsageError
from gigq.cli.fields import QUEUE
from gigq.cli.styled import status_cell
from gigq.cli.table import TABLE, Cell, age, table
from gigq.status import UNFINISHED

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.queue_records import QueueRecord

_TITLES = ("name", "paused", "ready", "scheduled", "running", "oldest", "limits")
_LIMITS = ("max_running", "rate_limit", "rate_period")
_ONE_OR_ALL = argument("queue", metavar="QUEUE", nargs="?", completes="queues", help="only this queue; default: all")


@command(*TABLE, fields=QUEUE)
def queues(queue: JobQueue, args: Args) -> Answer:
    """List the queues that have unfinished jobs, a limit or a pause.

    The column paused shows for how long a queue has been paused, and the column oldest how long ago the oldest of the
    ready jobs was submitted.
    """
    found = queue.queues()
    now = queue.clock.now()
    # A name that was cut cannot be typed: it is cut last.
    lines = table(args, _TITLES, [_row(args, each, now=now) for each in found], flexible=("limits", "name"))
    return Answer(found, lines)


@command(_ONE_OR_ALL, opens=CHANGE, fields=("queue", "paused"))
def pause(queue: JobQueue, args: Args) -> Answer:
    """Stop workers from claiming jobs from one queue, or from all.

    Running jobs go on.
    The pause lasts until resume, for new jobs and new workers too.
    """
    return _set_paused(queue, args.queue, is_paused=True)


@command(_ONE_OR_ALL, opens=CHANGE, fields=("queue", "paused", "still_paused"))
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
        help="how many of its jobs may start within any --rate-period, in all workers together, or none for no limit"),
    argument("--rate-period", metavar="DURATION", type=values.duration,
        help="the period of --rate-limit, at first 1s"),
    opens=lambda args: CHANGE if args.given(*_LIMITS) else LOOK,
    fields=QUEUE,
    check=lambda args: _check_configure(args),
)  # fmt: skip
def configure(queue: JobQueue, args: Args) -> Answer:
    """Change a queue's limits, and show them.

    What is not given stays.
    Without options, nothing changes; without QUEUE too, the limits of all queues are shown.
    """
    if args.queue is not None:
        record = queue.configure(args.queue, **args.given(*_LIMITS))
        return Answer(record, [_limits_of(record)])
    limited = [each for each in queue.queues() if _limits(each)]
    return Answer(limited, map(_limits_of, limited) if limited else ["No queue has limits."])


def _check_configure(args: Args) -> None:
    if args.queue is None and args.given(*_LIMITS):
        raise UsageError("give the name of the queue whose limits are to change")


def _set_paused(queue: JobQueue, name: str | None, *, is_paused: bool) -> Answer:
    done = "paused" if is_paused else "resumed"
    now = (queue.pause if is_paused else queue.resume)(name)
    is_idle = name is not None and not queue.count(UNFINISHED, queue=name)
    still = [each.name for each in now if each.is_paused and not is_paused]
    but = _still(name, still) if still else "; it has no unfinished jobs" if is_idle else ""
    what = "All queues" if name is None else f"Queue {name}"
    found = {"queue": name, "paused": is_paused} | ({} if is_paused else {"still_paused": still})
    return Answer(found, [f"{what} {done}{but}"])


def _still(name: str | None, queues: Sequence[str]) -> str:
    if name is None:
        return f", but not those paused by name: {', '.join(queues)}"
    return ", but it stays paused with all others; `gigq resume` without a name ends that"


def _row(args: Args, queue: QueueRecord, *, now: datetime) -> tuple[Cell, ...]:
    oldest = None if queue.oldest_ready_at is None else age(args, queue.oldest_ready_at, now)
    since = "yes" if queue.paused_at is None else age(args, queue.paused_at, now)
    paused = status_cell("paused", word=since) if queue.is_paused else ""
    return (queue.name, paused, queue.ready, queue.scheduled, queue.running, oldest, _limits(queue))


def _limits_of(queue: QueueRecord) -> str:
    return f"Queue {queue.name}: {_limits(queue) or 'no limits'}"


def _limits(queue: QueueRecord) -> str:
    running = f"{queue.max_running} at a time" if queue.max_running is not None else ""
    rate = f"{queue.rate_limit} within {queue.rate_period:.15g} s" if queue.rate_limit is not None else ""
    return ", ".join(filter(None, (running, rate)))
