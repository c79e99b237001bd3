"""The command that predicts what runs next: `gigq next`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.fields import NEXT_JOB
from gigq.cli.styled import Line, status_cell
from gigq.cli.table import TABLE, Cell, shown_ids, table
from gigq.clock import to_text

if TYPE_CHECKING:
    from gigq.next_records import NextJob, NextJobs
    from gigq.queue.job_queue import JobQueue

_ROWS = 20
_NOW = 0.5
"""Seconds in which a job starts that starts now."""


@command(
    argument("--limit", metavar="N", type=values.at_least_one, default=_ROWS, help=f"at most N jobs; default: {_ROWS}"),
    argument("--queue", metavar="NAME", completes="queues", help="only jobs in this queue"),
    *TABLE,
    fields=NEXT_JOB,
    examples=(("gigq next --queue mail --limit 5", "the next five jobs of a queue"),),
)
def next_(queue: JobQueue, args: Args) -> Answer:
    """Show what runs next, and predict when.

    The slots of the live workers are played forward, with the queues' pauses and limits, as if each function took as
    long as lately.
    Jobs come last whose start nobody can tell, with the reason.
    """
    found = queue.next_jobs(args.limit, args.queue)
    notes = [] if args.out.form.is_for_people else [found.assumption]
    return Answer(list(found), _lines(args, found), ids=[job.id for job in found], notes=notes)


def _lines(args: Args, found: NextJobs) -> Iterator[Line]:
    if not found:
        yield "Nothing is about to run."
        return
    has_reasons = any(job.reason for job in found)
    titles = ("starts", "takes", "id", "name", "queue", "priority", "phase", *(("reason",) if has_reasons else ()))
    ids = shown_ids(args, [job.id for job in found])
    rows = [
        (*_row(args, job, found, shown), *((job.reason or "",) if has_reasons else ()))
        for job, shown in zip(found, ids, strict=True)
    ]
    dropped = ("priority", "takes") if has_reasons else ()
    yield from table(args, titles, rows, flexible=(*titles[7:], "name", "queue"), dropped=dropped)
    yield found.assumption


def _row(args: Args, job: NextJob, found: NextJobs, shown_id: str) -> tuple[Cell, ...]:
    from gigq.durations import span

    takes = "" if job.duration is None else span(job.duration)
    return (_start(args, job, found), takes, shown_id, job.name, job.queue, job.priority, status_cell(job.phase))


def _start(args: Args, job: NextJob, found: NextJobs) -> str:
    from gigq.durations import span

    if job.starts_at is None:
        return "?"
    if args.time == "iso":
        return to_text(job.starts_at)
    seconds = (job.starts_at - found.at).total_seconds()
    return f"in {span(seconds)}" if seconds > _NOW else "now"
