"""The options that every command has: the file, the form of the answer, and colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gigq.cli.command import HIDDEN, argument
from gigq.cli.exits import BadValue, UsageError
from gigq.cli.forms import FORMAT, IDS, JSON, JSON_LINES, Form, names_in
from gigq.cli.terminal import COLOURS


def _fields(kind: str) -> Any:
    def read(text: str) -> Form:
        names = tuple(each.strip() for each in text.split(","))
        if not all(names):
            raise BadValue(f"{text!r} is not a list of fields such as id,name")
        return Form(kind, names)

    return read


def _template(text: str) -> Form:
    names_in(text)
    return Form(FORMAT, template=text)


COMMON = (
    argument("--db", metavar="PATH", completes="files", help="the queue's file; default: GIGQ_DB, else gigq.db"),
    argument("--json", dest="form", action="store_const", const=Form(JSON),
             help="print JSON, for programs; --json=id,name prints only these fields"),
    argument("--json-fields", dest="form", type=_fields(JSON), help=HIDDEN),
    argument("--jsonl", dest="form", action="store_const", const=Form(JSON_LINES),
             help="print JSON, a line for each record"),
    argument("--jsonl-fields", dest="form", type=_fields(JSON_LINES), help=HIDDEN),
    argument("--format", dest="form", metavar="FORMAT", type=_template,
             help="print a line for each record, such as '{id} {name}' with the fields of --json"),
    argument("-q", "--quiet", dest="form", action="store_const", const=Form(IDS),
             help="print only the IDs of the jobs that are listed or changed, a line each"),
    argument("--color", metavar="WHEN", choices=COLOURS,
             help="whether to use colours: auto, always or never; default: GIGQ_COLOR, else auto"),
)  # fmt: skip
"""The options that may be typed before the command or after it; after it, they win."""


HELP = argument("-h", "--help", action="help", help="show how to use it")
VERSION = argument("--version", action="version", help="print the version of gigq")


def colour_of(typed: str | None, environ: Mapping[str, str]) -> str:
    """Return whether colours are wanted: typed, in a variable, or to be found out.

    Raises:
        UsageError: the variable has a value that there is not.
    """
    if typed:
        return typed
    colour = environ.get("GIGQ_COLOR") or COLOURS[0]
    if colour not in COLOURS:
        raise UsageError(f"GIGQ_COLOR: {colour!r} is not one of {', '.join(COLOURS)}")
    return colour
