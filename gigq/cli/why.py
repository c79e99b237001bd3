"""The command that explains what a job waits for: `gigq why`."""

from __future__ import annotations

from gigq.cli.call import Call
from gigq.cli.commands import Command
from gigq.cli.options import add_id


def why(call: Call) -> None:
    """Explain why a job is not running, or how it ended."""
    with call.look() as queue:
        job_id = queue.full_id(call.options.id)
        reasons = queue.why(job_id)
    call.answer({"id": job_id, "reasons": reasons}, reasons)


COMMANDS = {"why": Command(why, add_id)}
