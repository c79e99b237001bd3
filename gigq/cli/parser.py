"""Which commands there are."""

from __future__ import annotations

from gigq.cli import control, logs, metrics, pruning, queues, reading, schedules, submitting, version, worker, workers
from gigq.cli.commands import Commands, Parser, add_common_options

_FAMILIES = (
    submitting, reading, metrics, logs, control, queues, schedules, pruning, worker, workers, version,
)  # fmt: skip
"""Modules of commands, in the order of the help page. Each declares its own."""

_EPILOG = "gigq COMMAND --help tells more. An ID may be shortened to any beginning that only one job's id has."


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog="gigq", description="A durable job queue in one SQLite file.", epilog=_EPILOG, allow_abbrev=False
    )
    add_common_options(parser)
    parser.set_defaults(db=None, json=False)
    commands: Commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True, prog="gigq"
    )
    for family in _FAMILIES:
        family.declare(commands)
    return parser
