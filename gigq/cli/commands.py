"""How a command is declared: a name, the function that does it, and that function's docstring as its help."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from gigq.cli import values
from gigq.cli.call import Call, UsageError


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""Where commands are added. argparse has no public name for it."""


def add_command(commands: Commands, name: str, run: Callable[[Call], None]) -> Parser:
    """Add a command, and return its parser for its own options.

    An option that is not typed is missing from what the command gets, unless its declaration says otherwise.
    """
    text = inspect.getdoc(run) or ""
    parser = commands.add_parser(
        name,
        help=text.partition("\n")[0],
        description=text,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    add_common_options(parser)
    parser.set_defaults(run=run)
    return parser


def add_group(commands: Commands, name: str, text: str) -> Commands:
    """Add a word before commands, and return where these are added."""
    parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    return parser.add_subparsers(
        title="commands", dest="subcommand", metavar="COMMAND", required=True, prog=f"gigq {name}"
    )


def add_common_options(parser: Parser) -> None:
    """Add the options that stand before the command or after it; after it, they win."""
    parser.add_argument(
        "--db", metavar="PATH", default=argparse.SUPPRESS, help="the queue's file; default: GIGQ_DB, else gigq.db"
    )
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON for programs")


def add_id(parser: Parser) -> None:
    """Add the one job that a command is about."""
    parser.add_argument(
        "id", metavar="ID", type=values.prefix, help="the job's id, or a beginning that no other id has"
    )
