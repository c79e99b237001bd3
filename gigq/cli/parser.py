"""The parser of the whole command line. The parser of a command is built when the command is typed."""

from __future__ import annotations

import argparse
import os
from typing import Any, TypeAlias

from gigq.cli.command import Argument, Command
from gigq.cli.commands import COMMANDS, FAMILIES, declared
from gigq.cli.common import COMMON
from gigq.cli.forms import Form
from gigq.cli.parsing import LazyParser, Parser, TopParser
from gigq.version import VERSION

_Subparsers: TypeAlias = "argparse._SubParsersAction[LazyParser]"
"""Where the parsers of commands are added. argparse has no public name for it."""


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = _Top(prog="gigq", usage="gigq [OPTION …] COMMAND")
    add_common(parser)
    parser.add_argument("--version", action="version", version=f"gigq {VERSION}", help="print the version of gigq")
    parser.set_defaults(db=None, form=Form(), color=None, absent={}, command=None, parser=parser)
    _add_commands(parser, "")
    return parser


class _Top(TopParser):
    def format_help(self) -> str:
        from gigq.cli.help import overview  # only here: few command lines ask for help

        return overview(os.environ)


def add_common(parser: Parser) -> None:
    """Add the options that every command has."""
    group = parser.add_argument_group("options of every command")
    for each in COMMON:
        group.add_argument(*each.names, **{"default": argparse.SUPPRESS, **each.settings})


def parser_of(words: str) -> LazyParser:
    """Return the parser of one command, or of a family of commands."""
    parser: Any = build_parser()
    for word in words.split():
        (choices,) = [each.choices for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        parser = choices[word]
        parser.build()
    found: LazyParser = parser
    return found


def _add_commands(parser: Parser, family: str) -> None:
    """Add the commands whose words begin with that of a family, or with no family's; and the families."""
    subparsers: _Subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", prog=parser.prog, parser_class=LazyParser
    )
    for words, row in COMMANDS.items():
        first, _, second = words.rpartition(" ")
        if first == family:
            _add_command(subparsers, second, words, row.summary)
        elif not family and first not in subparsers.choices:
            _add_family(subparsers, first)


def _add_family(subparsers: _Subparsers, word: str) -> None:
    summary = FAMILIES[word].summary
    parser = subparsers.add_parser(word, help=summary, description=summary)
    parser.is_family = True
    parser.fill = lambda built: _fill_family(built, word)


def _fill_family(built: LazyParser, word: str) -> None:
    built.set_defaults(parser=built)
    _add_commands(built, word)


def _add_command(subparsers: _Subparsers, word: str, words: str, summary: str) -> None:
    parser = subparsers.add_parser(word, help=summary, argument_default=argparse.SUPPRESS)
    parser.fill = lambda built: _declare(built, declared(words))


def _declare(parser: LazyParser, command: Command) -> None:
    parser.description = command.help
    command.add_options(parser)
    add_common(parser)
    parser.examples = command.examples
    if command.fields:
        parser.notes = [f"fields of --json: {', '.join(command.fields)}"]
    parser.set_defaults(command=command, names=parser.names, absent=parser.absent)


def add_environment(options: argparse.Namespace, environ: Any) -> None:
    """Add the values that environment variables give to arguments that were not typed, and then the defaults.

    Raises:
        UsageError: a variable has a value that its argument cannot have.
    """
    command: Command = options.command
    values = vars(options)
    for each in command.arguments:
        if not each.env or each.dest in values:
            continue
        if (text := environ.get(each.env)) and not _is_excluded(each, command, values):
            values[each.dest] = each.read(text)
    for each in command.arguments:
        if each.env and "default" in each.settings:
            values.setdefault(each.dest, each.settings["default"])


def _is_excluded(one: Argument, command: Command, values: dict[str, Any]) -> bool:
    """Whether another argument was typed that excludes this one: a variable then says nothing."""
    return any(each.dest in values for each in command.excluded_by(one))
