"""The command that counts jobs: `gigq stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.table import labelled
from gigq.status import JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue


@command(
    argument("--queue", metavar="NAME", completes="queues", help="only jobs in this queue"),
    fields=(*(status.value for status in JobStatus), "total"),
)
def stats(queue: JobQueue, args: Args) -> Answer:
    """Count the jobs by status."""
    counts = queue.stats(args.queue)
    return Answer(counts, labelled((word, [str(count)]) for word, count in counts.items()))
