"""What is typed about a job: the function that it calls, its arguments, and the options that schedules have too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gigq.cli import values
from gigq.cli.command import Argument, argument
from gigq.cli.exits import UsageError

if TYPE_CHECKING:
    from gigq.cli.args import Args

_SHARED = (
    "description", "priority", "max_attempts", "timeout", "retry_delay", "retry_backoff", "retry_max_delay",
    "retry_jitter", "retry_on", "no_retry_on", "queue", "tags", "unique_key",
)  # fmt: skip


def call(*, is_function_needed: bool = True) -> list[Argument]:
    """Return the function that a job calls, its arguments, and the options that several jobs may share."""
    optional = {} if is_function_needed else {"nargs": "?"}
    # fmt: off
    return [
        argument("function", metavar="MODULE.FUNCTION", type=values.function, **optional,
            help="the function to call, which the worker imports; or the name of a handler"),
        argument("args", metavar="ARGUMENT", nargs="*", default=[], type=values.json_or_text,
            help="a positional argument: JSON if it can be read as that, else text"),
        argument("-p", "--param", dest="params", metavar="KEY=VALUE", action="append", type=values.parameter,
            help="a keyword argument; VALUE is JSON if it can be read as that (version=1.10 is the number 1.1), else "
                 "text; repeat it for several"),
        argument("-s", "--set-text", dest="params", metavar="KEY=TEXT", action="append", type=values.text_parameter,
            help="a keyword argument whose value is this text, whatever it looks like: -s version=1.10; may be "
                 "repeated"),
        argument("--queue", metavar="NAME", completes="queues", help="the queue inside the file; default: default"),
        argument("--priority", metavar="NUMBER", type=values.priority,
            help="higher goes first; a whole number, or low, normal, high or critical"),
        argument("--tag", dest="tags", metavar="TAG", action="append", completes="tags",
            help="a word to find the job by; repeat it for several"),
        argument("--metadata", metavar="KEY=VALUE", action="append", type=values.metadata,
            help="what is kept with the job for people and programs: KEY=VALUE as for --param, or an object of JSON; "
                 "may be repeated"),
        argument("--description", metavar="TEXT", help="a note for people"),
        argument("--unique-key", metavar="TEXT",
            help="if an unfinished job has this key, submit nothing and print `Already there: ID` of that job"),
        argument("--timeout", metavar="DURATION", type=values.limit,
            help="time limit of one attempt, or none; default: 5m"),
        *_retries(),
    ]
    # fmt: on


def _retries() -> list[Argument]:
    # fmt: off
    return [
        argument("--max-attempts", metavar="N", type=values.at_least_one,
            help="how often the job may be started; default: 3"),
        argument("--retry-delay", metavar="DURATION", type=values.duration,
            help="wait before the first retry; default: 0"),
        argument("--retry-backoff", metavar="FACTOR", type=values.number,
            help="how many times longer each wait is than the one before, at least 1; default: 1"),
        argument("--retry-max-delay", metavar="DURATION", type=values.duration,
            help="longest wait before a retry; default: 1h, or --retry-delay if that is longer"),
        argument("--retry-jitter", metavar="SHARE", type=values.number,
            help="the largest share of a wait, from 0 to 1, that is taken off at random; default: 0"),
        argument("--retry-on", metavar="EXCEPTION", action="append",
            help="retry only after this exception, such as TimeoutError or app.errors.Busy; repeat it for several"),
        argument("--no-retry-on", metavar="EXCEPTION", action="append",
            help="never retry after this exception; repeat it for several"),
    ]
    # fmt: on


def given_call(args: Args) -> dict[str, Any]:
    """Return the arguments of `Job` that were typed for the arguments of `call`, except the function.

    Raises:
        UsageError: a parameter, or a key of the metadata, was typed twice.
    """
    given = args.given(*_SHARED)
    if args.args:
        given["args"] = args.args
    if args.params:
        given["params"] = _as_dict(args.params, "parameter")
    if args.metadata:
        given["metadata"] = _as_dict((pair for pairs in args.metadata for pair in pairs), "key of the metadata")
    return given


def _as_dict(pairs: Iterable[tuple[str, Any]], what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise UsageError(f"the {what} {key!r} was given twice")
        found[key] = value
    return found
