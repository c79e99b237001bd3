"""The command that explains what jobs wait for: `gigq why`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.choosing import job_id
from gigq.cli.command import argument, command
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.options import ID

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue


@command(
    argument("id", metavar="ID", nargs="?", completes="jobs", help=f"{ID}; default: the jobs of the whole queue"),
    SHOW_SECRETS,
    fields=("id", "reasons"),
    examples=(
        ("gigq why", "why the jobs of the queue are not getting on, or that nothing is wrong"),
        ("gigq why 7c1f09e2", "why this job is not running, or how it ended"),
    ),
)
def why(queue: JobQueue, args: Args) -> Answer:
    """Explain why jobs are not getting on, or how one ended.

    Without an ID, it looks at the head of each queue: pauses, limits, functions that no worker finds, and workers that
    are dead, missing or stuck.
    """
    hide = redactor(args)

    def hidden(sentences: list[str]) -> list[str]:
        return [hide.text(each) for each in sentences]

    if args.id is None:
        reasons = hidden(queue.why())
        return Answer({"id": None, "reasons": reasons}, reasons)
    job = job_id(queue, args.id)
    reasons = hidden(queue.why(job))
    return Answer({"id": job, "reasons": reasons}, reasons, ids=[job])
