"""The commands that delete jobs: `gigq prune`, `gigq dead purge`, `gigq clear`, `gigq delete`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from gigq.cli import filtering, values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.bulk import GROUP, Verb, carried_out, check, shown_chunks, told
from gigq.cli.command import CHANGE, argument, command
from gigq.cli.fields import DRY_RUN, of_bulk
from gigq.cli.options import AGES, ages, choice
from gigq.cli.questions import SAMPLES, can_ask, confirm, require_choice, sample, sure
from gigq.cli.selecting import selection
from gigq.cli.styled import Line
from gigq.clock import in_seconds, to_past
from gigq.pages import Count
from gigq.status import DEAD, FINISHED, PRUNED_BY_DEFAULT, JobStatus

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

_DELETED = tuple(each for each in JobStatus if each is not JobStatus.RUNNING)
_FOR_GOOD = "Deleted jobs cannot be brought back."
_PATIENCE = 2.0
"""Seconds for which jobs are counted before a person is asked about them."""


@command(
    filtering.WORDS,
    choice("--status", FINISHED, "only jobs with this status, by default completed and cancelled"),
    *filtering.options(status=False),
    *ages(),
    *sure(all="every completed or cancelled job"),
    opens=CHANGE,
    fields=of_bulk("pruned"),
    check=lambda args: _check_prune(args),
    examples=[
        ("gigq prune --older-than 7d --yes", "what a timer may run every night"),
        ("gigq prune --status failed --keep 1000 --dry-run", "how many failed jobs are there besides the last 1,000?"),
        ("gigq prune queue:mail --older-than 1d", "what one queue has done until yesterday"),
    ],
)
def prune(queue: JobQueue, args: Args) -> Answer:
    """Delete finished jobs, oldest first, and print how many.

    The space is given back to the file system.
    A job stays while another that depends on it may still run.
    """
    return _pruned(queue, args, FINISHED, PRUNED_BY_DEFAULT)


@command(
    filtering.WORDS,
    choice("--status", DEAD, "only dead letters with this status"),
    *filtering.options(status=False),
    *ages(),
    *sure(all="every dead letter"),
    opens=CHANGE,
    fields=of_bulk("pruned"),
    check=lambda args: _check_prune(args),
    examples=[
        ("gigq dead purge --keep 5000 --yes", "what a timer may run: keep the last 5,000"),
        ("gigq dead purge queue:mail --older-than 30d", "those of one queue that nobody has missed for a month"),
    ],
)
def dead_purge(queue: JobQueue, args: Args) -> Answer:
    """Delete dead letters, oldest first, and print how many.

    A job stays while another that depends on it may still run.
    `gigq delete ID` deletes one job.
    """
    return _pruned(queue, args, DEAD, DEAD)


@command(
    argument(
        "--before", metavar="DAYS", type=values.age,
        help="only jobs that ended at least this long ago: days, or a duration such as 12h; default: all",
    ),
    *sure(),
    opens=CHANGE,
    fields=("cleared", *DRY_RUN),
    examples=[("gigq clear --before 7", "what ended more than a week ago")],
)  # fmt: skip
def clear(queue: JobQueue, args: Args) -> Answer:
    """Delete completed and cancelled jobs, and print how many.

    A job stays while another that depends on it may still run.
    It is `gigq prune` as it was in version 0.5: where there is no terminal it asks for no --yes, so that old scripts
    go on.
    """
    now = queue.clock.now()
    before = now if args.before is None else _ago(args.before, now=now)
    if args.dry_run or can_ask(args):
        count, samples = _meant(queue, {"status": PRUNED_BY_DEFAULT}, before)
        if answer := confirm(args, "delete", count, samples, warning=_FOR_GOOD):
            return answer
    cleared = queue.clear_completed(before)
    return Answer({"cleared": cleared}, [f"Cleared {cleared} completed jobs."])


@command(
    *selection(_DELETED),
    GROUP,
    *sure(all="every job that is not running"),
    opens=CHANGE,
    fields=of_bulk("deleted"),
    check=check,
    examples=[
        ("gigq delete 3f9a1c04", "one job, by the end of its ID"),
        ("gigq delete --queue test --dry-run", "how many jobs that would be, and which"),
    ],
)
def delete(queue: JobQueue, args: Args) -> Answer:
    """Delete jobs, finished or pending, with their executions.

    Give IDs, or filters.
    A job that is running, that an unfinished job depends on, or that one has submitted, is not deleted.
    """


    verb = Verb(
        name="delete",
        done="deleted",
        statuses=_DELETED,
        one=queue.delete_job,
        why_not=lambda job_id: _why_not_deleted(queue, job_id),
        many=queue.delete_jobs,
        warning=_FOR_GOOD,
    )
    return carried_out(queue, args, verb)


def _check_prune(args: Args) -> None:
    filtering.check(args)
    is_chosen = bool(args.filters or args.given("status", *AGES)) or filtering.are_typed(args)
    require_choice(args, is_chosen, choices="filters such as --queue NAME, --older-than or --keep")


def _pruned(queue: JobQueue, args: Args, takes: Sequence[JobStatus], default: Sequence[JobStatus]) -> Answer:
    now = queue.clock.now()
    before = now if args.older_than is None else to_past(args.older_than, "--older-than", now=now)
    filters = filtering.chosen(queue, args)
    filters["status"] = filtering.only(filters.get("status", default), takes)
    count, samples = _meant(queue, filters, before, keep=args.keep)
    if answer := confirm(args, "delete", count, samples, warning=_FOR_GOOD):
        return answer
    with shown_chunks(queue, args, "pruned", count) as on_chunk:
        pruned = queue.prune(**filters, older_than=before, bound=count.bound, on_chunk=on_chunk, **args.given("keep"))
    return told(pruned, "pruned")


def _meant(
    queue: JobQueue, filters: dict[str, Any], before: datetime, *, keep: int | None = None
) -> tuple[Count, list[Line]]:
    """Return how many finished jobs ended before an instant, without those that are kept, and lines for the newest."""
    until = filters | {"ended_until": min(before, filters.get("ended_until", before))}
    count = queue.count(**until, within=_PATIENCE)
    if keep:
        # Those that are kept are the newest of all of them, whether they ended before that instant or not.
        spare = queue.count(**filters, within=_PATIENCE) - keep
        count = Count(max(0, min(count, spare)), is_exact=count.is_exact, bound=count.bound)
    newest = queue.find_jobs(limit=SAMPLES, offset=keep or 0, order="ended", within=_PATIENCE, **until)
    return count, [sample(job) for job in newest] if count else []


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
