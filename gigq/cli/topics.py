"""The topics of ``gigq help``: what concerns all commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gigq.cli.commands import COMMANDS, declared
from gigq.cli.exits import EXIT_CODES
from gigq.cli.fields import JOB
from gigq.cli.forms import JSON_VERSION


class Topic(NamedTuple):
    """A topic of the help.

    Attributes:
        summary: what it is about.
        text: returns its lines. A line without an indentation is a paragraph; the others stay as they are.
    """

    summary: str
    text: Callable[[], Iterator[str]]


def _times() -> Iterator[str]:
    yield "A DURATION is a number of seconds, or a number with a unit:"
    yield "  90 = 90s    5m    2h    7d    0.5s"
    yield "An INSTANT is in ISO 8601, in local time unless it names a zone:"
    yield "  2026-01-31                      that day, 00:00 local time"
    yield "  2026-01-31T09:00                09:00 local time"
    yield "  2026-01-31T09:00Z               09:00 UTC"
    yield "  2026-01-31T09:00+02:00          09:00 in a zone two hours east of Greenwich"
    yield "Tables show how long ago something was, in its largest whole unit (59s, 3m, 2h, 8d); --time=iso shows when."
    yield "JSON has instants in ISO 8601 in UTC, which sort as text, and durations in seconds."
    yield "A line of cron is in UTC, unless schedule add --timezone names a zone."


def _exit_codes() -> Iterator[str]:
    yield from (f"  {code:<5} {meaning}" for code, meaning in EXIT_CODES.items())
    yield "A closed pipe, as in `gigq list | head -1`, is no error."


def _environment() -> Iterator[str]:
    from gigq.cli.variables import variables

    yield "What is typed counts most, then these variables, then the default. gigq env shows what holds."
    for each in variables():
        default = f"; default: {each.default}" if each.default else ""
        yield f"  {each.name:<22} {each.meaning}{default}"
    yield "An option that may be repeated takes a list with commas from its variable; a switch takes yes or no."
    yield "Options may also come from a file: gigq worker @worker.args reads words as a shell does, and # is a comment."


def _json() -> Iterator[str]:
    yield "These options of every command print for programs, on standard output, in ASCII and without colours:"
    yield "  --json                    one line: a record, or a list of records"
    yield "  --json=id,name            only these fields"
    yield "  --jsonl                   a line for each record, as for a stream; --jsonl=id,name too"
    yield "  --format '{id} {name}'    a line of text for each record; \\t is a tab"
    yield "  -q                        the IDs alone, a line each"
    yield f"The version of the JSON is {JSON_VERSION}, which gigq version --json prints."
    yield "New fields may be added to it; where one is removed, or means another thing, the version is raised."
    yield "NaN and the infinities are null. Errors and notes are on standard error."
    yield "Fields of each command:"
    yield f"  (job) {', '.join(JOB)}"
    for fields, commands in _by_fields().items():
        yield f"  {', '.join(commands)}: {', '.join(fields)}"


def _by_fields() -> dict[tuple[str, ...], list[str]]:
    """The commands that answer with the same fields; those of a job are one word."""
    found: dict[tuple[str, ...], list[str]] = {}
    for words in COMMANDS:
        fields = tuple(declared(words).fields or ())
        short = ("(job)", *fields[len(JOB) :]) if fields[: len(JOB)] == JOB else fields
        if short:
            found.setdefault(short, []).append(words)
    return found


TOPICS = {
    "times": Topic("how durations and instants are typed and shown", _times),
    "exit-codes": Topic("what the exit codes mean", _exit_codes),
    "environment": Topic("the variables that hold defaults, and files of words", _environment),
    "json": Topic("output for programs, and its fields", _json),
}
