"""Arguments that several commands share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.command import Argument, argument
from gigq.cli.exits import UsageError

if TYPE_CHECKING:
    from enum import StrEnum

    from gigq.cli.args import Args

FILTERS = ("queue", "name", "tags", "workflow", "search")
"""The values of `filters`, apart from the statuses."""

AGES = ("older_than", "keep")
"""The values of `ages`."""

ID = "the job's ID, or any prefix of it that no other ID has"
_OF_CALL = (
    "description", "priority", "max_attempts", "timeout", "retry_delay", "retry_max_delay", "queue", "tags",
)  # fmt: skip

ONE_ID = argument("id", metavar="ID", type=values.prefix, completes="jobs", help=ID)
"""The ID of one job."""


def id_or_filters(statuses: Sequence[StrEnum]) -> list[Argument]:
    """Return the ID of one job, and the options that choose several jobs instead."""
    help_text = f"{ID}; without an ID, the options below choose jobs"
    return [
        argument("id", metavar="ID", nargs="?", type=values.prefix, completes="jobs", help=help_text),
        choice("--status", statuses, "only jobs with this status"),
        *filters(),
    ]


def choice(name: str, words: Sequence[StrEnum], meaning: str) -> Argument:
    """Return an option that takes one of several words, and may be typed several times."""
    choices = [word.value for word in words]
    return argument(name, action="append", choices=choices, help=f"{meaning}; repeat it for several")


def filters() -> list[Argument]:
    """Return the options that choose among jobs."""
    # fmt: off
    return [
        argument("--queue", metavar="NAME", completes="queues", help="only jobs in this queue"),
        argument("--name", completes="names", help="only jobs with exactly this name"),
        argument("--tag", dest="tags", metavar="TAG", action="append", completes="tags",
            help="only jobs with this tag; repeat it to require several"),
        argument("--workflow", metavar="ID", type=values.prefix, completes="workflows",
            help="only jobs of the workflow that has this ID, or an ID that begins with it"),
        argument("--search", metavar="TEXT",
            help="only jobs with this text in their ID, name, description, function, arguments or error"),
    ]
    # fmt: on


def ages(*, action: str = "") -> list[Argument]:
    """Return the options that choose among finished jobs by their age; `action` is the only action that takes them."""
    prefix = f"{action}: " if action else ""
    # fmt: off
    return [
        argument("--older-than", metavar="DURATION", type=values.older_than,
            help=f"{prefix}only jobs that ended at least this long ago, such as 7d, or before this instant (ISO 8601)"),
        argument("--keep", metavar="N", type=values.whole, help=f"{prefix}keep the N of them that ended last"),
    ]
    # fmt: on


def call() -> list[Argument]:
    """Return the function that a job calls, its arguments, and the options that several jobs may share."""
    # fmt: off
    return [
        argument("function", metavar="MODULE.FUNCTION", type=values.function,
            help="the function to call, which the worker imports; or the name of a handler"),
        argument("-p", "--param", dest="params", metavar="KEY=VALUE", action="append", type=values.parameter,
            help="a keyword argument; VALUE is JSON if it can be read as that (version=1.10 is the number 1.1), "
                 "else text; repeat it for several"),
        argument("-s", "--set-text", dest="params", metavar="KEY=TEXT", action="append", type=values.text_parameter,
            help="a keyword argument whose value is this text, whatever it looks like: -s version=1.10; may be "
                 "repeated"),
        argument("--description", metavar="TEXT", help="a note for people"),
        argument("--priority", metavar="NUMBER", type=values.priority,
            help="higher goes first; a whole number, or low, normal, high or critical"),
        argument("--max-attempts", metavar="N", type=values.at_least_one,
            help="how often the job may be started; default: 3"),
        argument("--timeout", metavar="DURATION", type=values.limit,
            help="time limit of one attempt, or none; default: 5m"),
        argument("--retry-delay", metavar="DURATION", type=values.duration,
            help="wait before the first retry; default: 0"),
        argument("--retry-max-delay", metavar="DURATION", type=values.duration,
            help="longest wait before a retry; default: 1h, or --retry-delay if that is longer"),
        argument("--queue", metavar="NAME", completes="queues", help="the queue inside the file; default: default"),
        argument("--tag", dest="tags", metavar="TAG", action="append", completes="tags",
            help="a word to find the job by; repeat it for several"),
    ]
    # fmt: on


def given_call(args: Args) -> dict[str, Any]:
    """Return the arguments of `Job` that were typed for the options of `call`, except the function."""
    return {"params": _as_dict(args.params or ()), **args.given(*_OF_CALL)}


def _as_dict(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for key, value in pairs:
        if key in params:
            raise UsageError(f"the parameter {key!r} was given twice")
        params[key] = value
    return params
