"""The command that shows jobs that used up their attempts: `gigq dead`, or `gigq dead list`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from gigq.cli import filtering, values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.exits import UsageError
from gigq.cli.fields import JOB
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.styled import Line
from gigq.cli.table import TABLE, age, table
from gigq.status import DEAD

if TYPE_CHECKING:
    from gigq.pages import Page
    from gigq.queue.job_queue import JobQueue
    from gigq.records import JobRecord

_GROUPED, _LISTED = 500, 20
_MOST_COUNTED = 10_000
_PATIENCE = 5.0
"""Seconds that a person waits for a list."""
_TITLES = ("group", "jobs", "last", "first", "function", "error", "example")


class _Group(NamedTuple):
    """Dead letters that have one cause.

    Attributes:
        group: its key, which `gigq dead requeue --group` takes.
        ids: those of its jobs, of the one that ended last first.
    """

    group: str
    function: str
    error_type: str | None
    message: str
    first_at: datetime
    last_at: datetime
    ids: tuple[str, ...]

    @property
    def jobs(self) -> int:
        return len(self.ids)

    def as_dict(self) -> dict[str, Any]:
        from gigq.plain import as_plain

        return as_plain(self) | {"jobs": self.jobs}


@command(
    filtering.WORDS,
    *filtering.options(),
    argument("--each", action="store_true", help="list the jobs one by one"),
    argument("--limit", metavar="N", type=values.whole,
             help=f"look at the N that ended last, or 0 for all; default: {_GROUPED:,}, with --each {_LISTED}"),
    argument("--after", metavar="CURSOR", help="with --each: go on where another list has ended"),
    SHOW_SECRETS,
    *TABLE,
    fields=(*_Group._fields, "jobs", *(name for name in JOB if name not in _Group._fields)),
    check=lambda args: _check(args),
    examples=(
        ("gigq dead", "what failed for good, by cause"),
        ("gigq dead queue:mail --each", "the dead letters of a queue"),
        ("gigq dead requeue --group 2a19c79f", "send the jobs of one group back"),
    ),
)  # fmt: skip
def dead_list(queue: JobQueue, args: Args) -> Answer:
    """Show dead letters, grouped by cause: jobs that used up their attempts.

    They are the jobs with the status failed or timeout.
    Those of one group have the same function, error and message; numbers, IDs and quoted values do not count.
    `gigq dead requeue` sends them back, and `gigq dead purge` deletes them; both take the same filters.
    """
    filters = filtering.chosen(queue, args)
    if not set(filters.setdefault("status", DEAD)) <= set(DEAD):
        raise UsageError("a dead letter is failed or timeout; gigq list takes every status")
    limit = args.limit if args.limit is not None else _LISTED if args.each else _GROUPED
    within = _PATIENCE if args.terminal.is_terminal and limit else None
    page = queue.find_jobs(limit=limit or None, after=args.after, order="ended", within=within, **filters)
    notes = list(_notes(queue, args, page, filters))
    return (_each if args.each else _by_cause)(queue, args, page, notes)


def _check(args: Args) -> None:
    filtering.check(args)
    if args.after is not None and not args.each:
        raise UsageError("--after goes with --each: groups are made of all that is looked at")


def _each(queue: JobQueue, args: Args, page: Sequence[JobRecord], notes: Sequence[str]) -> Answer:
    from gigq.cli.job_table import job_table

    hide = redactor(args)
    lines: Iterable[Line] = job_table(args, page, hide, now=queue.clock.now()) if page else ["No dead letters."]
    jobs = [] if args.out.form.is_for_people else list(map(hide.job, page))
    return Answer(jobs, lines, ids=[job.id for job in page], notes=notes)


def _by_cause(queue: JobQueue, args: Args, jobs: Sequence[JobRecord], notes: Sequence[str]) -> Answer:
    hide = redactor(args)  # afterwards: what is hidden would be another cause
    groups = [group._replace(message=hide.text(group.message)) for group in _groups(jobs)]
    groups.sort(key=lambda group: (-group.jobs, group.group))
    lines: Iterable[Line] = _lines(args, groups, now=queue.clock.now()) if groups else ["No dead letters."]
    suggestions = [f"gigq dead requeue --group {group.group}" for group in groups[:1]]
    ids = [job_id for group in groups for job_id in group.ids]
    return Answer(groups, lines, ids=ids, notes=notes, suggestions=suggestions)


def _groups(jobs: Iterable[JobRecord]) -> Iterator[_Group]:
    from gigq.failing import key_of, without_values

    members: dict[tuple[str, str | None, str], list[JobRecord]] = {}
    for job in jobs:
        last = job.executions[-1] if job.executions else None
        error = (last and (last.error or last.status)) or job.error or ""
        members.setdefault((job.function, last and last.error_type, without_values(error)), []).append(job)
    for (function, error_type, message), found in members.items():
        ends = [job.completed_at or job.updated_at for job in found]
        ids = tuple(job.id for job in found)
        yield _Group(key_of(function, error_type, message), function, error_type, message, min(ends), max(ends), ids)


def _lines(args: Args, groups: Sequence[_Group], *, now: datetime) -> Iterator[Line]:
    from gigq.handles import short

    rows = [
        (group.group, group.jobs, age(args, group.last_at, now), age(args, group.first_at, now), group.function,
         group.message, short(group.ids[0]) if args.terminal.width_or(0) else group.ids[0])
        for group in groups
    ]  # fmt: skip
    yield from table(args, _TITLES, rows, flexible=("error", "function"), right=("last", "first"), dropped=("first",))


def _notes(queue: JobQueue, args: Args, page: Page[JobRecord], filters: dict[str, Any]) -> Iterator[str]:
    """Yield what was not looked at, and how to see it."""
    if page.cursor is None:
        return
    if args.after is not None or page.is_cut:
        yield f"there are more; --each --after {page.cursor} goes on"
        return
    number = queue.count(at_most=len(page) + _MOST_COUNTED, within=_PATIENCE, **filters)
    how = "" if number.is_exact else "at least " if number.is_cut else "more than "
    option = f"--after {page.cursor} goes on" if args.each else "--limit 0 looks at all"
    yield f"{how}{number - len(page):,} more ended earlier; {option}"
