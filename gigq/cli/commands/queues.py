"""The command that lists queues: `gigq queues`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import command
from gigq.cli.fields import QUEUE
from gigq.cli.styled import status_cell
from gigq.cli.table import TABLE, Cell, age, table

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.queue_records import QueueRecord

_TITLES = ("name", "paused", "ready", "scheduled", "running", "oldest", "limits")


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
    return Answer(found, lines if found else ["No queue has unfinished jobs, a limit or a pause."])


def _row(args: Args, queue: QueueRecord, *, now: datetime) -> tuple[Cell, ...]:
    oldest = None if queue.oldest_ready_at is None else age(args, queue.oldest_ready_at, now)
    since = "yes" if queue.paused_at is None else age(args, queue.paused_at, now)
    paused = status_cell("paused", word=since) if queue.is_paused else ""
    return (queue.name, paused, queue.ready, queue.scheduled, queue.running, oldest, limits_in_words(queue))


def limits_in_words(queue: QueueRecord) -> str:
    """Return the limits of a queue in words; empty if it has none."""
    running = f"{queue.max_running} at a time" if queue.max_running is not None else ""
    rate = f"{queue.rate_limit} within {queue.rate_period:.15g} s" if queue.rate_limit is not None else ""
    return ", ".join(filter(None, (running, rate)))
