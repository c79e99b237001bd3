"""`gigq submit`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gigq.cli import values
from gigq.cli.call import Call, UsageError
from gigq.cli.commands import Commands, Parser, add_command
from gigq.job import Job

_OF_CALL = ("description", "priority", "max_attempts", "timeout", "retry_delay", "queue", "tags")
_OF_JOB = ("name", "delay", "expires_at", "unique_key")


def declare(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "submit", submit)
    add_call(parser)
    add = parser.add_argument
    # fmt: off
    add("--name", help="for people; default: the function's name")
    add("--delay", metavar="DURATION", type=values.duration, help="do not run it before so much time has passed")
    add("--expires-at", metavar="INSTANT",
        help="cancel it if it was not started by then: ISO-8601, local time where it names no zone")
    add("--unique-key", metavar="TEXT",
        help="while an unfinished job has this key, submit nothing and print the id of that job")
    add("--depends-on", dest="parents", metavar="ID", action="append", type=values.prefix,
        help="a job that must complete first, repeatable")
    # fmt: on


def add_call(parser: Parser) -> None:
    """Add the function that jobs call, its arguments, and the options that several jobs may share."""
    add = parser.add_argument
    # fmt: off
    add("function", metavar="MODULE.FUNCTION", help="what to call, or the name of a handler; a worker imports it")
    add("-p", "--param", dest="params", metavar="KEY=VALUE", action="append", type=values.parameter,
        help="a keyword argument, repeatable; VALUE is read as JSON where it is JSON, else as text")
    add("--description", metavar="TEXT", help="for people")
    add("--priority", metavar="NUMBER", type=values.priority, help="larger goes first; or low, normal, high, critical")
    add("--max-attempts", metavar="N", type=values.at_least_one, help="how often it may be started; default: 3")
    add("--timeout", metavar="DURATION", type=values.limit, help="limit of one attempt, or none; default: 5m")
    add("--retry-delay", metavar="DURATION", type=values.duration, help="wait before the first retry; default: 0")
    add("--queue", metavar="NAME", help="the queue inside the file; default: default")
    add("--tag", dest="tags", metavar="TAG", action="append", help="a word to find the job by, repeatable")
    # fmt: on


def submit(call: Call) -> None:
    """Submit a call of a function, and print the job's id.

    The function is not imported here, so that it may live where only the worker is.
    A duration is a number of seconds, or such as 30s, 5m, 2h, 7d.
    """
    options = {"name": _last_name(call.options.function), **given_call(call), **call.given(*_OF_JOB)}
    with call.open_queue(create=True) as queue:
        parents = [queue.full_id(each) for each in call.given("parents").get("parents", ())]
        job_id = queue.submit(Job(function=call.options.function, dependencies=parents, **options))
    call.answer({"id": job_id}, [f"Job submitted: {job_id}"])


def given_call(call: Call) -> dict[str, Any]:
    """Return the arguments of `Job` that were typed for the options of `add_call`, but for the function."""
    return {"params": _as_dict(call.given("params").get("params", ())), **call.given(*_OF_CALL)}


def _last_name(function: str) -> str:
    return function.replace(":", ".").rpartition(".")[2] or function


def _as_dict(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for key, value in pairs:
        if key in params:
            raise UsageError(f"the parameter {key!r} was given twice")
        params[key] = value
    return params
