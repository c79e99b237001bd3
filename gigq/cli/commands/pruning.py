"""The commands that delete jobs: `gigq prune`, `gigq clear`, `gigq delete`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, argument, command
from gigq.cli.exits import DONE, REFUSED, UsageError
from gigq.cli.options import AGES, FILTERS, ID, ages, choice, filters
from gigq.clock import in_seconds
from gigq.status import FINISHED, JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue


@command(
    choice("--status", FINISHED, "only jobs with this status, by default completed and cancelled"),
    *ages(),
    opens=CHANGE,
    fields=("pruned",),
)
def prune(queue: JobQueue, args: Args) -> Answer:
    """Delete finished jobs, oldest first, and print how many.

    The space is given back to the file system.
    A job stays while another that depends on it may still run.
    """
    pruned = queue.prune(**args.given("status", *AGES))
    return Answer({"pruned": pruned}, [f"Jobs pruned: {pruned}"])


@command(
    argument("--before", metavar="DAYS", type=values.age,
        help="only jobs that ended at least this long ago: days, or a duration such as 12h; default: all"),
    opens=CHANGE,
    fields=("cleared",),
)  # fmt: skip
def clear(queue: JobQueue, args: Args) -> Answer:
    """Delete completed and cancelled jobs, and print how many.

    A job stays while another that depends on it may still run.
    """
    before = None if args.before is None else _ago(args.before, now=queue.clock.now())
    cleared = queue.clear_completed(before)
    return Answer({"cleared": cleared}, [f"Cleared {cleared} completed jobs."])


@command(
    argument("ids", metavar="ID", nargs="*", default=[], type=values.prefix, completes="jobs",
        help=f"{ID}; without an ID, the options below choose jobs"),
    choice("--status", [each for each in JobStatus if each is not JobStatus.RUNNING], "only these jobs"),
    *filters(),
    opens=CHANGE,
    fields=("ids", "deleted"),
    check=lambda args: _check_delete(args),
)  # fmt: skip
def delete(queue: JobQueue, args: Args) -> Answer:
    """Delete jobs, finished or pending, with their executions.

    Give either IDs, or filters.
    A job that is running, that an unfinished job depends on, or that one has submitted, is not deleted.
    """
    filters = args.given("status", *FILTERS)
    if filters:
        number = queue.delete_jobs(**args.resolved(queue, filters))
        return Answer({"deleted": number}, [f"Jobs deleted: {number}"])
    ids = list(dict.fromkeys(queue.full_id(each) for each in args.ids))
    left = _delete_each(queue, ids)
    gone = [each for each in ids if each not in left]
    return Answer(
        {"ids": gone, "deleted": len(gone)}, [f"Job deleted: {each}" for each in gone],
        ids=gone,
        code=REFUSED if left else DONE,
        notes=["; ".join(_why_not_deleted(queue, each) for each in left)] if left else (),
    )  # fmt: skip


def _check_delete(args: Args) -> None:
    if bool(args.ids) == bool(args.given("status", *FILTERS)):
        raise UsageError("give either IDs or filters, such as --queue NAME")


def _delete_each(queue: JobQueue, ids: Sequence[str]) -> list[str]:
    """Delete jobs, and return those that must stay. One may have to stay only as long as another is there."""
    left = [each for each in ids if not queue.delete_job(each)]
    return left if len(left) in (0, len(ids)) else _delete_each(queue, left)


def _why_not_deleted(queue: JobQueue, job_id: str) -> str:
    job = queue.get_job(job_id)
    if job is None:
        return f"job {job_id} is gone"
    if job.status == JobStatus.RUNNING:
        return f"job {job_id} is running; cancel it first, with gigq cancel --running"
    if job.submitted_by is not None and queue.get_status(job.submitted_by).get("completed_at", "") is None:
        by = f"job {job.submitted_by}, which is unfinished"
        return f"job {job_id} was submitted by {by} and might submit it again; cancel that first"
    return f"job {job_id} is needed by an unfinished job that depends on it; cancel or delete that first"


def _ago(seconds: float, *, now: datetime) -> datetime:
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{in_seconds(seconds)} ago is before the year 1") from None
