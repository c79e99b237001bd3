"""The commands that delete finished jobs: `gigq prune`, `gigq clear`."""

from __future__ import annotations

from datetime import datetime, timedelta

from gigq.cli import values
from gigq.cli.call import Call
from gigq.cli.commands import Command, Parser
from gigq.cli.options import AGES, add_ages, add_choice
from gigq.status import FINISHED


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
    call.answer({"cleared": cleared}, [f"Jobs cleared: {cleared}"])


def _ago(seconds: float, *, now: datetime) -> datetime:
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{seconds:g} seconds ago is before the year 1") from None


COMMANDS = {"prune": Command(prune, _prune_options), "clear": Command(clear, _clear_options)}
