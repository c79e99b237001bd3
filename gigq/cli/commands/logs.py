"""The command that shows what jobs have logged, and follows those that are running: `gigq logs`."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.exits import Refused
from gigq.cli.following import Follower, Piece, chosen, heading_of, last_lines, lines_of
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.options import ONE_ID
from gigq.clock import SystemClock
from gigq.errors import JobNotFound
from gigq.status import FINISHED, ExecutionStatus, JobStatus

if TYPE_CHECKING:
    from gigq.cli.following import Found
    from gigq.queue.job_queue import JobQueue
    from gigq.records import ExecutionRecord, JobRecord

_KEYS = ("attempt", "status", "worker_id", "log")

_PAUSE = 0.2
"""Seconds between two looks whether the file has changed. The workers write logs about once a second."""


@command(
    ONE_ID,
    argument("-f", "--follow", action="store_true",
        help="show what is new until the job has ended; the exit code is 0 if it has completed, else 1"),
    argument("--attempt", metavar="N", type=values.at_least_one, help="only this attempt; default: all"),
    argument("--tail", metavar="N", type=values.whole, help="begin with the last N lines; default: all"),
    SHOW_SECRETS,
    fields=_KEYS,
    is_long=True,
    examples=(
        ("gigq logs 4f2a91c0 -f", "follow a job until it has ended"),
        ("gigq logs 4f2a91c0 --attempt 1 --tail 20", "the last 20 lines of its first attempt"),
    ),
)  # fmt: skip
def logs(queue: JobQueue, args: Args) -> Answer | None:
    """Show what a job has logged, attempt by attempt.

    Only workers started with --capture-logs keep logs.
    They write them about once a second while the job is running, and when the attempt ends.
    With --follow a job that has not started is waited for, and with --json each piece is one line.
    """
    job = args.job(queue)
    if args.follow:
        _follow(queue, args, job)
        return None
    found = _found(redactor(args).job(job), args.attempt)
    if args.tail is not None:
        found = last_lines(found, args.tail)
    records = [
        Piece(each, lines, "").as_dict() | ({"log": each.log} if args.tail is None else {}) for each, lines in found
    ]
    suggestions = () if job.status in FINISHED else (f"gigq logs {job.id} -f   # follow it",)
    return Answer(records, _lines(found), ids=[job.id], suggestions=suggestions)


def _found(job: JobRecord, attempt: int | None) -> Found:
    executions = chosen(job, attempt)
    if not executions and attempt is not None:
        raise Refused(f"job {job.id} has no attempt {attempt}; it has been tried {job.attempts} times")
    found: Found = [(each, lines_of(each)) for each in executions if each.log]
    if not found:
        raise Refused(f"job {job.id} has no log: {_why_silent(job, executions)}")
    return found


def _why_silent(job: JobRecord, executions: Sequence[ExecutionRecord]) -> str:
    if not any(each.started_at for each in executions):
        return "its function was not called yet"
    if job.status == JobStatus.RUNNING and executions[-1].completed_at is None:
        return "it has logged nothing so far, or its worker was started without --capture-logs"
    return "it has logged nothing, or its worker was started without --capture-logs"


def _lines(found: Found) -> Iterator[str]:
    for execution, lines in found:
        if len(found) > 1:
            yield heading_of(execution)
        yield from lines


def _follow(queue: JobQueue, args: Args, job: JobRecord) -> None:
    """Show what is new, and again whenever the file has changed, until there will be no more.

    Raises:
        Refused: the job, or the attempt, has not completed.
    """
    args.out.is_paged = False
    follower, hides, has_shown = Follower(attempt=args.attempt, tail=args.tail), redactor(args), False
    if job.status is JobStatus.PENDING and not chosen(job, args.attempt):
        args.out.note(f"job {job.id} has not started: {queue.why(job.id)[0]}")
    while True:
        seen = queue.changes()
        job = _reread(queue, job)
        for piece in [each.hidden_by(hides) for each in follower.news(job)]:
            heading = [piece.heading] if piece.heading else []
            args.out.put(piece.as_dict(), [*heading, *piece.lines], ids=[job.id] if not has_shown else [])
            has_shown = True
        if _is_over(job, args.attempt):
            break
        _pause()  # in any case: a busy file has always changed
        while queue.changes() == seen:
            _pause()
    if not has_shown and chosen(job, args.attempt):
        args.out.note(f"job {job.id} has no log: {_why_silent(job, chosen(job, args.attempt))}")
    _refuse_failed(hides.job(job), args.attempt)


def _reread(queue: JobQueue, job: JobRecord) -> JobRecord:
    found = queue.get_job(job.id)
    if found is None:
        raise JobNotFound(job.id)
    return found


def _is_over(job: JobRecord, attempt: int | None) -> bool:
    """Whether nothing more will come: the job has ended, or the attempt, and no other one will have its number."""
    if job.status in FINISHED:
        return True
    return attempt is not None and (
        job.attempts > attempt or any(_is_counted(each) for each in chosen(job, attempt))
    )


def _is_counted(execution: ExecutionRecord) -> bool:
    return execution.status not in (ExecutionStatus.RUNNING, ExecutionStatus.RELEASED)


def _refuse_failed(job: JobRecord, attempt: int | None) -> None:
    executions = chosen(job, attempt)
    if attempt is not None and not executions:
        raise Refused(f"job {job.id} has no attempt {attempt}; it has been tried {job.attempts} times")
    last = job if attempt is None else executions[-1]
    if last.status != JobStatus.COMPLETED.value:
        raise Refused(f"job {job.id} ({job.name}) ended as {last.status}: {last.error or 'no reason is known'}")


def _pause() -> None:
    """Wait a little. Raises `BrokenPipeError` if nobody reads any more: a job may log nothing for hours."""
    if sys.stdout is None or not hasattr(select, "poll"):
        SystemClock().sleep(_PAUSE)
        return
    reader = select.poll()
    try:
        reader.register(sys.stdout, 0)
    except (OSError, ValueError):  # no file of the system, as in a test
        SystemClock().sleep(_PAUSE)
        return
    if reader.poll(1000 * _PAUSE):
        raise BrokenPipeError
