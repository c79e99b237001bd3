"""The commands that keep the file small, and those about dead letters: `gigq clear`, `gigq prune`, `gigq dead`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from gigq.cli import output, values
from gigq.cli.call import Call, UsageError
from gigq.cli.commands import Commands, Parser, add_command
from gigq.cli.control import FILTERS, add_filters
from gigq.clock import from_text
from gigq.status import DEAD, FINISHED

_LIST, _REQUEUE, _PURGE = "list", "requeue", "purge"
_OPTIONS = {_LIST: (*FILTERS, "limit"), _REQUEUE: (*FILTERS, "delay"), _PURGE: ("older_than", "keep")}
_TITLES = ("id", "name", "status", "attempts", "ended", "error")


def declare(commands: Commands) -> None:
    """Add the commands."""
    add_command(commands, "clear", clear).add_argument(
        "--before",
        metavar="DAYS",
        type=values.age,
        help="only those that ended so many days ago, or so long, such as 12h; default: all",
    )
    _declare_prune(commands)
    _declare_dead(commands)


def _declare_prune(commands: Commands) -> None:
    parser = add_command(commands, "prune", prune)
    parser.add_argument(
        "--status",
        action="append",
        choices=[each.value for each in FINISHED],
        help="repeatable: any of them; default: completed and cancelled",
    )
    _add_ages(parser, which="")


def _declare_dead(commands: Commands) -> None:
    parser = add_command(commands, "dead", dead)
    add = parser.add_argument
    # fmt: off
    add("action", metavar="ACTION", nargs="?", choices=tuple(_OPTIONS), default=_LIST,
        help="list, requeue or purge; default: list")
    add_filters(parser)
    add("--limit", metavar="N", type=values.whole, help="list: the most jobs to list, 0 for all; default: 100")
    add("--delay", metavar="DURATION", type=values.duration, help="requeue: not before so much time has passed")
    # fmt: on
    _add_ages(parser, which="purge: ")


def _add_ages(parser: Parser, *, which: str) -> None:
    parser.add_argument(
        "--older-than", metavar="DURATION", type=values.duration, help=f"{which}only what ended so long ago, such as 7d"
    )
    parser.add_argument("--keep", metavar="N", type=values.whole, help=f"{which}not the newest so many of them")


def clear(call: Call) -> None:
    """Delete completed and cancelled jobs, and print how many.

    A job stays while another that depends on it may still run.
    """
    with call.open_queue() as queue:
        seconds = call.given("before").get("before")
        before = None if seconds is None else _so_long_ago(seconds, now=queue.clock.now())
        cleared = queue.clear_completed(before)
    call.answer({"cleared": cleared}, [f"Jobs cleared: {cleared}"])


def prune(call: Call) -> None:
    """Delete finished jobs, the oldest first, and print how many; the file becomes smaller.

    A job stays while another that depends on it may still run.
    """
    with call.open_queue() as queue:
        pruned = queue.prune(**call.given("status", "older_than", "keep"))
    call.answer({"pruned": pruned}, [f"Jobs pruned: {pruned}"])


def dead(call: Call) -> None:
    """List the jobs that used up their attempts (failed or timeout), requeue them, or purge them.

    The filters go with list and requeue: without any, they take all dead letters.
    """
    action = call.options.action
    every = call.given(*{name for names in _OPTIONS.values() for name in names})
    options = call.given(*_OPTIONS[action])
    for name in sorted(every.keys() - options.keys()):
        raise UsageError(f"dead {action} does not take --{name.removesuffix('s').replace('_', '-')}")
    {_LIST: _list, _REQUEUE: _requeue, _PURGE: _purge}[action](call, options)


def _list(call: Call, options: dict[str, Any]) -> None:
    if options.get("limit") == 0:
        options["limit"] = None
    with call.open_queue() as queue:
        jobs = queue.dead_letters(**options)
        now = queue.clock.now()
    call.answer(jobs, _table(jobs, now=now))


def _requeue(call: Call, options: dict[str, Any]) -> None:
    with call.open_queue() as queue:
        number = queue.requeue_jobs(DEAD, **options)
    call.answer({"requeued": number}, [f"Jobs requeued: {number}"])


def _purge(call: Call, options: dict[str, Any]) -> None:
    with call.open_queue() as queue:
        number = queue.prune(DEAD, **options)
    call.answer({"pruned": number}, [f"Jobs pruned: {number}"])


def _table(jobs: Sequence[dict[str, Any]], *, now: datetime) -> Iterator[str]:
    return output.table(_TITLES, [_row(job, now=now) for job in jobs], flexible=("error", "name"))


def _row(job: dict[str, Any], *, now: datetime) -> tuple[str, ...]:
    attempts = f"{job['attempts']}/{job['max_attempts']}"
    ended = values.in_words((now - from_text(job["completed_at"])).total_seconds())
    return (job["id"], job["name"], job["status"], attempts, ended, (job["error"] or "").partition("\n")[0])


def _so_long_ago(seconds: float, *, now: datetime) -> datetime:
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{seconds:g} seconds ago lies before the year 1") from None
