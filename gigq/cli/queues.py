"""The commands about named queues: `gigq queues`, `gigq pause`, `gigq resume`, `gigq configure`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gigq.cli import output, values
from gigq.cli.call import Call
from gigq.cli.commands import Commands, add_command
from gigq.records import QueueRecord

_TITLES = ("name", "paused", "ready", "scheduled", "running", "oldest", "limits")


def declare(commands: Commands) -> None:
    """Add the commands."""
    add_command(commands, "queues", list_queues)
    for name, run in (("pause", pause), ("resume", resume)):
        add_command(commands, name, run).add_argument(
            "queue", metavar="QUEUE", nargs="?", help="only this one; default: all"
        )
    _declare_configure(commands)


def _declare_configure(commands: Commands) -> None:
    add = add_command(commands, "configure", configure).add_argument
    # fmt: off
    add("queue", metavar="QUEUE", help="the queue, whether it holds jobs or not")
    add("--max-running", metavar="N", type=values.at_least_one,
        help="how many of its jobs may run at a time, in all workers together; default: no limit")
    add("--rate-limit", metavar="N", type=values.at_least_one,
        help="how many of its jobs may start within any --rate-period, in all workers together; default: no limit")
    add("--rate-period", metavar="DURATION", type=values.duration, help="default: 1s")
    # fmt: on


def list_queues(call: Call) -> None:
    """List the queues that hold unfinished jobs or of which something was said.

    Oldest tells how long the oldest of the ready jobs has been in the queue.
    """
    with call.open_queue() as queue:
        queues = queue.queues()
        now = queue.clock.now()
    call.answer([each.as_dict() for each in queues], _table(queues, now=now))


def pause(call: Call) -> None:
    """Let no worker claim jobs of a queue, or of any.

    Running jobs go on.
    It holds until resume, whatever is submitted or started meanwhile.
    """
    _set_paused(call, is_paused=True)


def resume(call: Call) -> None:
    """Take back a pause.

    A queue that was paused by its name stays so when all are resumed.
    """
    _set_paused(call, is_paused=False)


def configure(call: Call) -> None:
    """Limit a queue anew.

    A limit that is not given is taken away.
    """
    limits = call.given("max_running", "rate_limit", "rate_period")
    with call.open_queue() as queue:
        queue.configure(call.options.queue, **limits)
        record = next(each for each in queue.queues() if each.name == call.options.queue)
    call.answer(record.as_dict(), [f"Queue {record.name}: {_limits(record) or 'no limits'}"])


def _set_paused(call: Call, *, is_paused: bool) -> None:
    name = call.given("queue").get("queue")
    with call.open_queue() as queue:
        (queue.pause if is_paused else queue.resume)(name)
    what = "All queues" if name is None else f"Queue {name}"
    call.answer({"queue": name, "paused": is_paused}, [f"{what} {'paused' if is_paused else 'resumed'}"])


def _table(queues: Sequence[QueueRecord], *, now: datetime) -> Iterator[str]:
    # A name that is cut cannot be typed again: it comes last.
    return output.table(_TITLES, [_row(each, now=now) for each in queues], flexible=("limits", "name"))


def _row(queue: QueueRecord, *, now: datetime) -> tuple[str, ...]:
    counts = map(str, (queue.ready, queue.scheduled, queue.running))
    oldest = queue.oldest_ready_at and values.in_words((now - queue.oldest_ready_at).total_seconds())
    return (queue.name, "yes" if queue.is_paused else "", *counts, oldest or "", _limits(queue))


def _limits(queue: QueueRecord) -> str:
    running = f"{queue.max_running} at a time" if queue.max_running is not None else ""
    rate = f"{queue.rate_limit} within {queue.rate_period:g} s" if queue.rate_limit is not None else ""
    return ", ".join(filter(None, (running, rate)))
