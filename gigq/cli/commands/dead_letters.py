"""The command for jobs that used up their attempts: `gigq dead`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.answer import Answer
from gigq.cli.args import Args
from gigq.cli.command import CHANGE, LOOK, argument, command
from gigq.cli.exits import UsageError
from gigq.cli.fields import JOB
from gigq.cli.options import AGES, FILTERS, ages, filters
from gigq.cli.styled import status_cell
from gigq.cli.table import TABLE, Cell, age, table
from gigq.clock import from_text
from gigq.status import DEAD

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue

_LIST, _REQUEUE, _PURGE = "list", "requeue", "purge"
_LOOKS = ("wide", "no_header", "time")
_OPTIONS = {_LIST: (*FILTERS, "limit", *_LOOKS), _REQUEUE: (*FILTERS, "delay"), _PURGE: AGES}
_TITLES = ("id", "name", "status", "attempts", "ended", "error")


@command(
    argument("action", metavar="ACTION", nargs="?", choices=tuple(_OPTIONS), default=_LIST,
        help="list, requeue or purge; default: list"),
    *filters(),
    argument("--limit", metavar="N", type=values.whole, help="list: at most N jobs, or 0 for all; default: 100"),
    argument("--delay", metavar="DURATION", type=values.duration,
        help="requeue: do not start the jobs before this time has passed"),
    *ages(action=_PURGE),
    *TABLE,
    opens=lambda args: LOOK if args.action == _LIST else CHANGE,
    fields=(*JOB, "requeued", "pruned"),
    check=lambda args: _check(args),
)  # fmt: skip
def dead(queue: JobQueue, args: Args) -> Answer:
    """List, requeue or purge dead letters: jobs that used up their attempts.

    They are the jobs with the status failed or timeout.
    The filters choose among them for list and requeue; without any, these take all.
    """
    options = {name: value for name, value in args.given(*_OPTIONS[args.action]).items() if name not in _LOOKS}
    return {_LIST: _list, _REQUEUE: _requeue, _PURGE: _purge}[args.action](queue, args, options)


def _check(args: Args) -> None:
    every = args.given(*{name for names in _OPTIONS.values() for name in names})
    for name in sorted(every.keys() - args.given(*_OPTIONS[args.action]).keys()):
        raise UsageError(f"dead {args.action} does not take --{name.removesuffix('s').replace('_', '-')}")


def _list(queue: JobQueue, args: Args, options: dict[str, Any]) -> Answer:
    if options.get("limit") == 0:
        options["limit"] = None
    jobs = queue.dead_letters(**args.resolved(queue, options))
    lines = table(args, _TITLES, _rows(args, jobs, now=queue.clock.now()), flexible=("error", "name"))
    return Answer(jobs, lines, ids=[job["id"] for job in jobs])


def _requeue(queue: JobQueue, args: Args, options: dict[str, Any]) -> Answer:
    number = queue.requeue_jobs(DEAD, **args.resolved(queue, options))
    return Answer({"requeued": number}, [f"Jobs requeued: {number}"])


def _purge(queue: JobQueue, args: Args, options: dict[str, Any]) -> Answer:
    number = queue.prune(DEAD, **options)
    return Answer({"pruned": number}, [f"Jobs pruned: {number}"])


def _rows(args: Args, jobs: Sequence[dict[str, Any]], *, now: datetime) -> list[tuple[Cell, ...]]:
    return [_row(args, job, now=now) for job in jobs]


def _row(args: Args, job: dict[str, Any], *, now: datetime) -> tuple[Cell, ...]:
    attempts = f"{job['attempts']}/{job['max_attempts']}"
    ended = age(args, from_text(job["completed_at"]), now)
    error = (job["error"] or "").partition("\n")[0]
    return (job["id"], job["name"], status_cell(job["status"]), attempts, ended, error)
