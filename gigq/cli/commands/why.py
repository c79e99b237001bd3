"""The command that explains what a job waits for: `gigq why`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import command
from gigq.cli.options import ONE_ID

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue


@command(ONE_ID, fields=("id", "reasons"))
def why(queue: JobQueue, args: Args) -> Answer:
    """Explain why a job is not running, or how it ended."""
    job_id = queue.full_id(args.id)
    reasons = queue.why(job_id)
    return Answer({"id": job_id, "reasons": reasons}, reasons, ids=[job_id])
