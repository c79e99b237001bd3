"""The commands that delete jobs: `gigq prune`, `gigq clear`, `gigq delete`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gigq.cli import values
from gigq.cli.call import Call, Refused, UsageError
from gigq.cli.commands import Command, Parser
from gigq.cli.options import AGES, FILTERS, ID, add_ages, add_choice, add_filters
from gigq.clock import in_seconds
from gigq.status import FINISHED, JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue


def _prune_options(parser: Parser) -> None:
    add_choice(parser, "--status", FINISHED, "only jobs with this status, by default completed and cancelled")
    add_ages(parser)


def prune(call: Call) -> None:
    """Delete finished jobs, oldest first, and print how many.

    The space is given back to the file system.
    A job stays while another that depends on it may still run.
    """
    with call.open_queue() as queue:
        pruned = queue.prune(**call.given("status", *AGES))
    call.answer({"pruned": pruned}, [f"Jobs pruned: {pruned}"])


def _clear_options(parser: Parser) -> None:
    parser.add_argument(
        "--before",
        metavar="DAYS",
        type=values.age,
        help="only jobs that ended at least this long ago: days, or a duration such as 12h; default: all",
    )


def clear(call: Call) -> None:
    """Delete completed and cancelled jobs, and print how many.

    A job stays while another that depends on it may still run.
    """
    with call.open_queue() as queue:
        seconds = call.given("before").get("before")
        before = None if seconds is None else _ago(seconds, now=queue.clock.now())
        cleared = queue.clear_completed(before)
    call.answer({"cleared": cleared}, [f"Cleared {cleared} completed jobs."])


def _delete_options(parser: Parser) -> None:
    parser.add_argument(
        "ids", metavar="ID", nargs="*", default=[], type=values.prefix,
        help=f"{ID}; without an ID, the options below choose jobs",
    )  # fmt: skip
    add_choice(parser, "--status", [each for each in JobStatus if each is not JobStatus.RUNNING], "only these jobs")
    add_filters(parser)


def delete(call: Call) -> None:
    """Delete jobs, finished or pending, with their executions.

    Give either IDs, or filters.
    A job that is running, that an unfinished job depends on, or that one has submitted, is not deleted.
    """
    filters = call.given("status", *FILTERS)
    if bool(call.options.ids) == bool(filters):
        raise UsageError("give either IDs or filters, such as --queue NAME")
    with call.open_queue() as queue:
        if filters:
            number = queue.delete_jobs(**call.resolved(queue, filters))
            return call.answer({"deleted": number}, [f"Jobs deleted: {number}"])
        ids = list(dict.fromkeys(queue.full_id(each) for each in call.options.ids))
        left = _delete_each(queue, ids)
        gone = [each for each in ids if each not in left]
        call.answer({"ids": gone, "deleted": len(gone)}, [f"Job deleted: {each}" for each in gone])
        if left:
            raise Refused("; ".join(_why_not_deleted(queue, each) for each in left))


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


COMMANDS = {
    "prune": Command(prune, _prune_options),
    "clear": Command(clear, _clear_options),
    "delete": Command(delete, _delete_options),
}
