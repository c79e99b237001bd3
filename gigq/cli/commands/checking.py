"""The command that checks the file, and mends it: `gigq doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, LOOK, argument, command
from gigq.cli.exits import DONE, REFUSED

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue


@command(
    argument("--repair", action="store_true", help="mend what can be mended, and print what was done"),
    opens=lambda args: CHANGE if args.repair else LOOK,
    fields=("repaired", "problems"),
    is_long=True,
)
def doctor(queue: JobQueue, args: Args) -> Answer:
    """Check the file, and print every problem.

    The exit code is 1 if there is a problem.
    It reads the whole file, and changes nothing without --repair.
    Then what belongs to jobs that are gone is deleted, and running jobs without a worker are settled as lost.
    """
    repaired = queue.repair() if args.repair else []
    problems = queue.check()
    found = {"repaired": repaired} if args.repair else {}
    lines = [*repaired, *(problems or ["The file is sound."])]
    notes = [_verdict(args)] if problems else []
    return Answer({**found, "problems": problems}, lines, code=REFUSED if problems else DONE, notes=notes)


def _verdict(args: Args) -> str:
    last = "restore a backup, or keep the file and report these problems"
    remedy = last if args.repair else "gigq doctor --repair mends what it can"
    return f"{args.path!r} is not sound; {remedy}"
