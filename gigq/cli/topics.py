"""The topics of ``gigq help``: what concerns all commands."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
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


def _filters() -> Iterator[str]:
    from gigq.query import KEYS

    yield "Filters choose among jobs, and a job must pass all of them:"
    yield "  gigq list status:failed queue:mail since:2h 'connection reset'"
    yield "These words are filters:"
    yield from (f"  {each.example:<25} {each.meaning}" for each in KEYS.values())
    yield "Text in quotes is searched for in IDs, names, descriptions, functions, arguments and errors: 'lost row'."
    yield "A lone word is no text, for it may be a slip: --search TEXT takes one."
    yield "A value with blanks is in quotes, around which the shell needs others: 'name:\"send mail\"'."
    yield "A value of args. is JSON if it can be; args.user:\"42\" is text. args.0 is the first argument."
    yield "since:, until: and ended: take times, and ranges of them; see gigq help times:"
    yield "  ended:2h                        in the last two hours"
    yield "  ended:yesterday                 the whole day"
    yield "  ended:2026-01-30..2026-01-31    two days"
    yield "  since:2h..1h                    submitted between two hours and one hour ago"
    yield "  ended:..09:30                   before the last half past nine"
    yield "Options say the same, for scripts: --status failed --queue mail --arg user=42 --since 2h --search TEXT."


def _times() -> Iterator[str]:
    yield "A DURATION is a number of seconds, or a number with a unit:"
    yield "  90 = 90s    5m    2h    7d    0.5s"
    yield "An INSTANT is in ISO 8601, in local time unless it names a zone:"
    yield "  2026-01-31                      that day, 00:00 local time"
    yield "  2026-01-31T09:00                09:00 local time"
    yield "  2026-01-31T09:00Z               09:00 UTC"
    yield "  2026-01-31T09:00+02:00          09:00 in a zone two hours east of Greenwich"
    yield "A TIME in the past is either, and then a duration is that long ago; or one of these:"
    yield "  09:30                           the last half past nine, local time"
    yield "  now, today, yesterday           this moment, or the first one of the day"
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
    "filters": Topic("how jobs are chosen: status:failed since:2h args.user:42", _filters),
    "times": Topic("how durations and instants are typed and shown", _times),
    "exit-codes": Topic("what the exit codes mean", _exit_codes),
    "environment": Topic("the variables that hold defaults, and files of words", _environment),
    "json": Topic("output for programs, and its fields", _json),
}
