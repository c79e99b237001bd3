"""The command that copies a queue while it is used: `gigq backup`."""

from __future__ import annotations

import sys
from shlex import quote
from typing import TYPE_CHECKING

from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import LOOK, argument, command
from gigq.cli.exits import DONE, REFUSED, Refused
from gigq.clock import to_text
from gigq.errors import DestinationExists

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

_MEGABYTE = 1_000_000


@command(
    argument("destination", metavar="DEST", completes="files", help="the file to write; its folder must be there"),
    argument("--force", action="store_true", help="overwrite a file that is there, unless a program has it open"),
    opens=LOOK,
    fields=("path", "size", "jobs", "taken_at", "problems"),
    examples=(
        ("gigq backup jobs-$(date +%F).db", "a copy with the date in its name"),
        ("gigq --db copy.db list", "look into a copy"),
    ),
)
def backup(queue: JobQueue, args: Args) -> Answer:
    """Copy the queue to another file while workers run, and check the copy.

    The copy is of one moment, and a queue like any other.
    What is at DEST is always a whole copy: it gets its name when it has been checked.
    The exit code is 1 if the copy has the same problems as the queue.
    To go back to a copy, stop the workers, and put it in the place of the queue's file.
    """
    from gigq.cli.ended import tidied_up  # only here: the help needs nothing of them
    from gigq.progress_line import ProgressLine

    try:
        with tidied_up(), ProgressLine("kB copied", clock=queue.clock, stream=sys.stderr) as line:
            copy = queue.backup(
                args.destination,
                overwrite=args.force,
                on_progress=lambda done, total: line.show(done // 1000, total // 1000),
            )
    except DestinationExists:
        raise Refused(f"there is a file at {args.destination!r} already; --force overwrites it") from None
    number = f"{copy.jobs:,} job{'' if copy.jobs == 1 else 's'}"
    lines = [
        f"Copied {number} to {copy.path}: {copy.size / _MEGABYTE:,.1f} MB, as of {to_text(copy.taken_at)}",
        *copy.problems,
    ]
    notes = ["the copy has the problems of the queue; gigq doctor --repair mends what it can"] if copy.problems else []
    look = f"gigq --db {quote(args.destination)} list"
    return Answer(copy, lines, code=REFUSED if copy.problems else DONE, notes=notes, suggestions=[look])
