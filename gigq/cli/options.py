"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.call import Call, UsageError
from gigq.cli.commands import Parser

if TYPE_CHECKING:
    from enum import StrEnum

FILTERS = ("queue", "name", "tags", "workflow", "search")
"""What `add_filters` adds, apart from the statuses."""

AGES = ("older_than", "keep")
"""What `add_ages` adds."""

ID = "the job's ID, or any prefix of it that no other ID has"
_OF_CALL = (
    "description", "priority", "max_attempts", "timeout", "retry_delay", "retry_max_delay", "queue", "tags",
)  # fmt: skip


def add_common(parser: Parser) -> None:
    """Add the options that may be typed before the command or after it; after it, they win."""
    add = parser.add_argument
    add("--db", metavar="PATH", default=argparse.SUPPRESS, help="the queue's file; default: GIGQ_DB, else gigq.db")
    add("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON, for programs")


def add_id(parser: Parser) -> None:
    """Add the ID of one job."""
    parser.add_argument("id", metavar="ID", type=values.prefix, help=ID)


def add_id_or_filters(parser: Parser, *, statuses: Sequence[StrEnum]) -> None:
    """Add the ID of one job, and the options that choose several jobs instead."""
    help_text = f"{ID}; without an ID, the options below choose jobs"
    parser.add_argument("id", metavar="ID", nargs="?", type=values.prefix, help=help_text)
    add_choice(parser, "--status", statuses, "only jobs with this status")
    add_filters(parser)


def add_choice(parser: Parser, name: str, words: Sequence[StrEnum], meaning: str) -> None:
    """Add an option that takes one of several words, and may be typed several times."""
    choices = [word.value for word in words]
    parser.add_argument(name, action="append", choices=choices, help=f"{meaning}; repeat it for several")


def add_filters(parser: Parser) -> None:
    """Add the options that choose among jobs."""
    add = parser.add_argument
    # fmt: off
    add("--queue", metavar="NAME", help="only jobs in this queue")
    add("--name", help="only jobs with exactly this name")
    add("--tag", dest="tags", metavar="TAG", action="append",
        help="only jobs with this tag; repeat it to require several")
    add("--workflow", metavar="ID", type=values.prefix,
        help="only jobs of the workflow that has this ID, or an ID that begins with it")
    add("--search", metavar="TEXT",
        help="only jobs with this text in their ID, name, description, function, arguments or error")
    # fmt: on


def add_ages(parser: Parser, *, action: str = "") -> None:
    """Add the options that choose among finished jobs by their age; `action` is the only action that takes them."""
    add, prefix = parser.add_argument, f"{action}: " if action else ""
    # fmt: off
    add("--older-than", metavar="DURATION", type=values.older_than,
        help=f"{prefix}only jobs that ended at least this long ago, such as 7d, or before this instant (ISO 8601)")
    add("--keep", metavar="N", type=values.whole, help=f"{prefix}keep the N of them that ended last")
    # fmt: on


def add_call(parser: Parser) -> None:
    """Add the function that a job calls, its arguments, and the options that several jobs may share."""
    add = parser.add_argument
    # fmt: off
    add("function", metavar="MODULE.FUNCTION", type=values.function,
        help="the function to call, which the worker imports; or the name of a handler")
    add("-p", "--param", dest="params", metavar="KEY=VALUE", action="append", type=values.parameter,
        help="a keyword argument; VALUE is JSON if it can be read as that (version=1.10 is the number 1.1), else text; "
             "repeat it for several")
    add("-s", "--set-text", dest="params", metavar="KEY=TEXT", action="append", type=values.text_parameter,
        help="a keyword argument whose value is this text, whatever it looks like: -s version=1.10; may be repeated")
    add("--description", metavar="TEXT", help="a note for people")
    add("--priority", metavar="NUMBER", type=values.priority,
        help="higher goes first; a whole number, or low, normal, high or critical")
    add("--max-attempts", metavar="N", type=values.at_least_one, help="how often the job may be started; default: 3")
    add("--timeout", metavar="DURATION", type=values.limit, help="time limit of one attempt, or none; default: 5m")
    add("--retry-delay", metavar="DURATION", type=values.duration, help="wait before the first retry; default: 0")
    add("--retry-max-delay", metavar="DURATION", type=values.duration,
        help="longest wait before a retry; default: 1h, or --retry-delay if that is longer")
    add("--queue", metavar="NAME", help="the queue inside the file; default: default")
    add("--tag", dest="tags", metavar="TAG", action="append",
        help="a word to find the job by; repeat it for several")
    # fmt: on


def given_call(call: Call) -> dict[str, Any]:
    """Return the arguments of `Job` that were typed for the options of `add_call`, except the function."""
    return {"params": _as_dict(call.given("params").get("params", ())), **call.given(*_OF_CALL)}


def _as_dict(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for key, value in pairs:
        if key in params:
            raise UsageError(f"the parameter {key!r} was given twice")
        params[key] = value
    return params
