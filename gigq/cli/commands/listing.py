"""The command that lists jobs: `gigq list`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli import filtering, values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import argument, command
from gigq.cli.exits import UsageError
from gigq.cli.fields import JOB
from gigq.cli.hiding import SHOW_SECRETS, redactor
from gigq.cli.styled import Line
from gigq.cli.table import TABLE

if TYPE_CHECKING:
    from datetime import datetime

    from gigq.history_records import AsOf
    from gigq.pages import Page
    from gigq.queue.job_queue import JobQueue
    from gigq.records import JobRecord

_ROWS = 20
_MOST_SORTED = 10_000
"""Jobs that are read to be sorted by what the file is not sorted by."""
_MOST_COUNTED = 10_000
_PATIENCE = 5.0
"""Seconds that a person waits for a list. A program gets all of it."""

_BY_ITSELF = ("submitted", "ended")
_SORTED: dict[str, Any] = {
    "priority": lambda job, now: -job.priority,
    "name": lambda job, now: job.name,
    "queue": lambda job, now: job.queue,
    "attempts": lambda job, now: -job.attempts,
    "ran": lambda job, now: -_seconds(job, now),
}


@command(
    filtering.WORDS,
    *filtering.options(),
    argument("--sort", choices=(*_BY_ITSELF, *_SORTED), help="newest submitted or ended first, or by another column; "
             "default: ended where only jobs that have ended are listed, else submitted"),
    argument("--limit", metavar="N", type=values.whole, default=_ROWS,
             help=f"at most N jobs, or 0 for all; default: {_ROWS}"),
    argument("--after", metavar="CURSOR", help="go on where another list has ended, which has printed CURSOR"),
    argument("--within", metavar="DURATION", type=values.duration,
             help="stop looking after this time; default: 5s on a terminal, else no limit"),
    argument("--watch", action="store_true", help="go on, and show what changes, until Ctrl-C"),
    argument("--as-of", metavar="TIME", help="what was running at an instant in the past, such as 09:30 or 2h, "
             "and how many jobs there were of each status"),
    SHOW_SECRETS,
    *TABLE,
    fields=JOB,
    check=lambda args: _check(args),
    examples=(
        ("gigq list status:failed since:2h", "what was submitted in the last two hours and failed"),
        ("gigq list phase:running --sort ran --limit 0", "what is running, the longest first"),
        ("gigq list queue:mail args.user:42 --watch", "what becomes of a user's mails"),
        ("gigq list --as-of 09:30", "what was running at half past nine"),
        ("gigq list --limit 0 --json=id,name,status", "all jobs, for programs"),
    ),
)  # fmt: skip
def list_(queue: JobQueue, args: Args) -> Answer | None:
    """List jobs, newest first.

    FILTER chooses among them, and so do the options; gigq help filters explains both.
    Several words in quotes are text to search for in IDs, names, descriptions, functions, arguments and errors.
    If there are more than --limit, a last line says how many (with --json, on standard error).
    A terminal shows the ends of IDs, which all commands accept, and leaves out columns in which nothing is, or for
    which there is no room beside the errors.
    Secrets are hidden, also in JSON: passwords, tokens and the like, and the keys that GIGQ_REDACT lists.
    """
    if args.as_of is not None:
        return _as_of(queue, args)
    if args.watch:
        _watch(queue, args)
        return None
    page = _page(queue, args)
    notes = list(_notes(queue, args, page))
    if not args.out.form.is_for_people:
        return Answer(list(map(redactor(args).job, page)), ids=[job.id for job in page], notes=notes)
    suggestions = [] if page or _is_filtered(args) else ["gigq submit MODULE.FUNCTION", "gigq worker"]
    return Answer(page, [*_lines(args, page, now=queue.clock.now()), *notes], suggestions=suggestions)


def _check(args: Args) -> None:
    filtering.check(args)
    alone = args.given("as_of", "watch", "after", "sort")
    for one, others in (("as_of", ("watch", "after", "sort")), ("watch", ("after",))):
        for other in others:
            if alone.get(one) and alone.get(other):
                raise UsageError(f"--{one.replace('_', '-')} does not go with --{other}")
    if args.as_of is not None and _is_filtered(args):
        raise UsageError("--as-of takes no filters: the past is known as a whole")
    if args.after is not None and args.sort in _SORTED:
        raise UsageError(f"--after does not go with --sort {args.sort}: only all jobs together can be sorted so")


def _is_filtered(args: Args) -> bool:
    options = {each.dest for each in (filtering.WORDS, *filtering.options())}
    return bool([value for value in args.given(*options).values() if value])


# a list


def _page(queue: JobQueue, args: Args) -> Page[JobRecord]:
    """Return the jobs that are wanted, sorted."""
    from gigq.pages import Page

    filters, limit = filtering.chosen(queue, args), args.limit or None
    if args.sort not in _SORTED:
        return queue.find_jobs(limit=limit, after=args.after, order=args.sort, within=_within(args), **filters)
    found = queue.find_jobs(limit=_MOST_SORTED, within=_within(args), **filters)
    now = queue.clock.now()
    jobs = sorted(found, key=lambda job: _SORTED[args.sort](job, now))[:limit]
    return Page(jobs, cursor=found.cursor, is_cut=found.is_cut, looked_at=found.looked_at, bound=found.bound)


def _within(args: Args) -> float | None:
    typed: float | None = args.within
    return typed if typed is not None else _PATIENCE if args.terminal.is_terminal else None


def _seconds(job: JobRecord, now: datetime) -> float:
    if job.started_at is None:
        return -1.0
    return ((job.completed_at or now) - job.started_at).total_seconds()


def _lines(args: Args, jobs: Sequence[JobRecord], *, now: datetime) -> Iterator[Line]:
    from gigq.cli.job_table import job_table

    if jobs:
        yield from job_table(args, jobs, redactor(args), now=now)
    else:
        yield "No jobs found."


def _notes(queue: JobQueue, args: Args, page: Page[JobRecord]) -> Iterator[str]:
    """Yield what the list leaves out, and how to see it."""
    if args.sort in _SORTED and page.cursor is not None:
        yield f"sorted are only the newest {_MOST_SORTED:,}; there are more"
    elif page.is_cut:
        how = "looks on" if page.cursor else "looks longer"
        option = f"--after {page.cursor}" if page.cursor else "--within 1m"
        yield f"looked at {page.looked_at:,} jobs until the time was over; {option} {how}"
    elif page.cursor is not None and args.after is not None:
        yield f"there are more; --after {page.cursor} shows the next"
    elif page.cursor is not None or (args.sort in _SORTED and len(page) == args.limit):
        yield from _more(queue, args, page)


def _more(queue: JobQueue, args: Args, page: Page[JobRecord]) -> Iterator[str]:
    filters = filtering.chosen(queue, args)
    if args.sort == "ended" and not {"status", "phase"} & filters.keys():
        yield f"there are more; --limit 0 shows all, --after {page.cursor} the next"
        return
    most = len(page) + _MOST_COUNTED
    number = queue.count(at_most=most, within=_within(args), **filters)
    left = number - len(page)
    if left > 0:
        how = "" if number.is_exact else "at least " if number.is_cut else "more than "
        next_ones = f", --after {page.cursor} the next" if page.cursor else ""
        yield f"{how}{left:,} more; --limit 0 shows all{next_ones}"


# as it changes


def _watch(queue: JobQueue, args: Args) -> None:
    from gigq.cli.watching import watch

    hide, told = redactor(args).job, _Told(queue, args)

    def draw(page: Page[JobRecord]) -> Sequence[Line]:
        notes = ["there are more; --limit 0 shows all"] if page.cursor or page.is_cut else []
        return [*_lines(args, page, now=queue.clock.now()), *notes]

    watch(queue, args, read=lambda: _page(queue, args), draw=draw, tell=lambda page: told.tell([*map(hide, page)]))


class _Told:
    """What was said of each job, where each change is a line."""

    def __init__(self, queue: JobQueue, args: Args) -> None:
        self._queue = queue
        self._args = args
        self._seen: dict[str, object] = {}

    def tell(self, jobs: Sequence[JobRecord]) -> None:
        """Write a line for each job that is new in the list, or has changed."""
        from gigq.cli.job_table import phase_cell
        from gigq.clock import to_text

        now = self._queue.clock.now()
        for job in reversed(jobs):  # the oldest first, as they came
            state = (job.phase, job.attempts, job.progress, job.error)
            if self._seen.get(job.id) == state:
                continue
            error = f"  {job.error.partition(chr(10))[0]}" if job.error else ""
            line = f"{to_text(now)[:19]}Z  {job.id}  " + phase_cell(job) + f"  {job.name}{error}"
            self._args.out.put(job, [line], ids=[job.id])
            self._seen[job.id] = state


# as it was


def _as_of(queue: JobQueue, args: Args) -> Answer:
    from gigq.times import moment

    now = queue.clock.now()
    try:
        at = moment(args.as_of, now=now)
    except ValueError as error:
        raise UsageError(f"--as-of: {error}") from None
    if at > now:
        raise UsageError(f"--as-of: {args.as_of!r} is still to come")
    past = queue.history.as_of(at)
    return Answer(past, _lines_of_past(args, past), ids=[each.job_id for each in past.running])


def _lines_of_past(args: Args, past: AsOf) -> Iterator[Line]:
    from gigq.cli.styled import status_cell
    from gigq.cli.table import shown_ids, table
    from gigq.clock import to_text
    from gigq.durations import span

    statuses = {status: number for status, number in past.statuses.items() if number and status != "total"}
    counts = ", ".join(f"{number:,} {status}" for status, number in statuses.items())
    yield f"As of {to_text(past.at)}: {counts or 'there were no jobs'}"
    if past.running:
        running = past.running if not args.limit else past.running[: args.limit]
        handles = shown_ids(args, [each.job_id for each in running])
        rows = [
            (handle, each.name, each.queue, each.attempt, each.worker_id,
             span((past.at - each.started_at).total_seconds()) if each.started_at else "", status_cell(each.status))
            for handle, each in zip(handles, running, strict=True)
        ]  # fmt: skip
        titles = ("id", "name", "queue", "attempt", "worker", "had run", "became")
        yield from table(args, titles, rows, flexible=("name", "worker", "queue"), right=("had run",))
        if len(past.running) > len(running):
            yield f"{len(past.running) - len(running):,} more; --limit 0 shows all"
    yield from past.blurred
