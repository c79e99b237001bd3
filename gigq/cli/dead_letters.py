"""The command for jobs that used up their attempts: `gigq dead`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from gigq.cli import output, values
from gigq.cli.call import Call, UsageError
from gigq.cli.commands import Command, Parser
from gigq.cli.options import AGES, FILTERS, add_ages, add_filters
from gigq.clock import from_text
from gigq.status import DEAD

_LIST, _REQUEUE, _PURGE = "list", "requeue", "purge"
_OPTIONS = {_LIST: (*FILTERS, "limit"), _REQUEUE: (*FILTERS, "delay"), _PURGE: AGES}
_TITLES = ("id", "name", "status", "attempts", "ended", "error")


def _dead_options(parser: Parser) -> None:
    add = parser.add_argument
    # fmt: off
    add("action", metavar="ACTION", nargs="?", choices=tuple(_OPTIONS), default=_LIST,
        help="list, requeue or purge; default: list")
    add_filters(parser)
    add("--limit", metavar="N", type=values.whole, help="list: at most N jobs, or 0 for all; default: 100")
    add("--delay", metavar="DURATION", type=values.duration,
        help="requeue: do not start the jobs before this time has passed")
    # fmt: on
    add_ages(parser, action=_PURGE)


def dead(call: Call) -> None:
    """List, requeue or purge dead letters: jobs that used up their attempts.

    They are the jobs with the status failed or timeout.
    The filters choose among them for list and requeue; without any, these take all.
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
    with call.look() as queue:
        jobs = queue.dead_letters(**call.resolved(queue, options))
        now = queue.clock.now()
    call.answer(jobs, _table(jobs, now=now))


def _requeue(call: Call, options: dict[str, Any]) -> None:
    with call.open_queue() as queue:
        number = queue.requeue_jobs(DEAD, **call.resolved(queue, options))
    call.answer({"requeued": number}, [f"Jobs requeued: {number}"])


def _purge(call: Call, options: dict[str, Any]) -> None:
    with call.open_queue() as queue:
        number = queue.prune(DEAD, **options)
    call.answer({"pruned": number}, [f"Jobs pruned: {number}"])


def _table(jobs: Sequence[dict[str, Any]], *, now: datetime) -> Iterator[str]:
    return output.table(_TITLES, [_row(job, now=now) for job in jobs], flexible=("error", "name"))


def _row(job: dict[str, Any], *, now: datetime) -> tuple[str, ...]:
    attempts = f"{job['attempts']}/{job['max_attempts']}"
    ended = output.span((now - from_text(job["completed_at"])).total_seconds())
    return (job["id"], job["name"], job["status"], attempts, ended, (job["error"] or "").partition("\n")[0])


COMMANDS = {"dead": Command(dead, _dead_options)}
