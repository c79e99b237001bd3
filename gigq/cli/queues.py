"""The commands for named queues: `gigq queues`, `gigq pause`, `gigq resume`, `gigq configure`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli import output, values
from gigq.cli.call import Call, UsageError
from gigq.cli.commands import Command, Parser
from gigq.status import UNFINISHED

if TYPE_CHECKING:
    from gigq.queue_records import QueueRecord

_TITLES = ("name", "paused", "ready", "scheduled", "running", "oldest", "limits")


def list_queues(call: Call) -> None:
    """List the queues that have unfinished jobs, a limit or a pause.

    The column oldest shows how long ago the oldest of the ready jobs was submitted.
    """
    with call.look() as queue:
        queues = queue.queues()
        now = queue.clock.now()
    call.answer([each.as_dict() for each in queues], _table(queues, now=now))


def _optional_queue(parser: Parser) -> None:
    parser.add_argument("queue", metavar="QUEUE", nargs="?", help="only this queue; default: all")


def pause(call: Call) -> None:
    """Stop workers from claiming jobs from one queue, or from all.

    Running jobs go on.
    The pause lasts until resume, for new jobs and new workers too.
    """
    _set_paused(call, is_paused=True)


def resume(call: Call) -> None:
    """Let workers claim jobs again, from one queue or from all.

    Resuming all queues does not resume those that were paused by name; it says which these are.
    """
    _set_paused(call, is_paused=False)


def _configure_options(parser: Parser) -> None:
    add = parser.add_argument
    # fmt: off
    add("queue", metavar="QUEUE", nargs="?", help="the name of the queue, which need not have jobs yet")
    add("--max-running", metavar="N", type=values.limited,
        help="how many of its jobs may run at a time, in all workers together, or none for no limit")
    add("--rate-limit", metavar="N", type=values.limited,
        help="how many of its jobs may start within any --rate-period, in all workers together, or none for no limit")
    add("--rate-period", metavar="DURATION", type=values.duration, help="the period of --rate-limit, at first 1s")
    # fmt: on


def configure(call: Call) -> None:
    """Change a queue's limits, and show them.

    What is not given stays.
    Without options, nothing changes; without QUEUE too, the limits of all queues are shown.
    """
    name, limits = call.given("queue").get("queue"), call.given("max_running", "rate_limit", "rate_period")
    if name is None and limits:
        raise UsageError("give the name of the queue whose limits are to change")
    with call.open_queue() if limits else call.look() as queue:
        if name is not None:
            record = queue.configure(name, **limits)
            return call.answer(record.as_dict(), [_limits_of(record)])
        limited = [each for each in queue.queues() if _limits(each)]
    call.answer([each.as_dict() for each in limited], map(_limits_of, limited) if limited else ["No queue has limits."])


def _set_paused(call: Call, *, is_paused: bool) -> None:
    name, done = call.given("queue").get("queue"), "paused" if is_paused else "resumed"
    with call.open_queue() as queue:
        now = (queue.pause if is_paused else queue.resume)(name)
        is_idle = name is not None and not queue.count(UNFINISHED, queue=name)
    still = [each.name for each in now if each.is_paused and not is_paused]
    but = _still(name, still) if still else "; it has no unfinished jobs" if is_idle else ""
    what = "All queues" if name is None else f"Queue {name}"
    call.answer(
        {"queue": name, "paused": is_paused} | ({} if is_paused else {"still_paused": still}), [f"{what} {done}{but}"]
    )


def _still(name: str | None, queues: Sequence[str]) -> str:
    if name is None:
        return f", but not those paused by name: {', '.join(queues)}"
    return ", but it stays paused with all others; `gigq resume` without a name ends that"


def _table(queues: Sequence[QueueRecord], *, now: datetime) -> Iterator[str]:
    # A name that was cut cannot be typed: it is cut last.
    return output.table(_TITLES, [_row(each, now=now) for each in queues], flexible=("limits", "name"))


def _row(queue: QueueRecord, *, now: datetime) -> tuple[str, ...]:
    counts = map(str, (queue.ready, queue.scheduled, queue.running))
    oldest = queue.oldest_ready_at and output.span((now - queue.oldest_ready_at).total_seconds())
    return (queue.name, "yes" if queue.is_paused else "", *counts, oldest or "", _limits(queue))


def _limits_of(queue: QueueRecord) -> str:
    return f"Queue {queue.name}: {_limits(queue) or 'no limits'}"


def _limits(queue: QueueRecord) -> str:
    running = f"{queue.max_running} at a time" if queue.max_running is not None else ""
    rate = f"{queue.rate_limit} within {queue.rate_period:.15g} s" if queue.rate_limit is not None else ""
    return ", ".join(filter(None, (running, rate)))


COMMANDS = {
    "queues": Command(list_queues),
    "pause": Command(pause, _optional_queue),
    "resume": Command(resume, _optional_queue),
    "configure": Command(configure, _configure_options),
}
