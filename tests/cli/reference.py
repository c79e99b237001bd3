"""Writes docs/reference/cli.md from the parser: ``PYTHONPATH=. python tests/cli/reference.py > docs/reference/cli.md``.

The words are argparse's, the layout is ours, because that of ``--help`` differs from one Python to the next.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gigq.cli import EXIT_CODES
from gigq.cli.commands import COMMANDS, declared
from gigq.cli.parser import build_parser
from gigq.cli.parsing import LazyParser

_HEAD = """\
# Command line

<!-- Written by tests/cli/reference.py from the parser; a test fails when it is stale. -->

`gigq [--db PATH] [--json] COMMAND`, and the same as `python -m gigq`.

An `ID` may be shortened to any prefix that no other job's ID has.
A `DURATION` is a number of seconds, or has a unit, such as `30s`, `5m`, `2h` or `7d`.

Only {creating} create the queue's file.
Control characters in the names and values of jobs are printed as visible escapes such as `\\x1b`.

| exit code | meaning |
|---|---|
{exit_codes}

| environment variable | default of |
|---|---|
| `GIGQ_DB` | `--db` |
| `GIGQ_WORKER_ID` | `worker --worker-id` |
| `GIGQ_POLLING_INTERVAL` | `worker --polling-interval` |
| `GIGQ_CONCURRENCY` | `worker --concurrency` |

## Options of every command

They may be typed before the command or after it.
"""


def page() -> str:
    """Return the whole page."""
    parser = build_parser()
    creating = [f"`{words}`" for words in COMMANDS if declared(words).creates_file]
    head = _HEAD.format(
        creating=f"{', '.join(creating[:-1])} and {creating[-1]}",
        exit_codes="\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
    )
    lines = [head, *_table(_options(parser))]
    common = {action.dest for action in _options(parser)}
    for name, command in commands(parser).items():
        lines += _section(name, command, common)
    return "\n".join(lines) + "\n"


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """All commands by the words that are typed for them, those of a group after the word of the group."""
    groups = (each.choices for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    found: dict[str, argparse.ArgumentParser] = {}
    for name, command in next(groups, {}).items():
        if isinstance(command, LazyParser):
            command.build()
        inner = commands(command)
        found |= {f"{name} {word}": each for word, each in inner.items()} if inner else {name: command}
    return found


def usage(name: str, command: argparse.ArgumentParser, common: set[str]) -> str:
    """What is typed for a command. Words that may be left out are in brackets."""
    options = ["[OPTION …]"] if _options(command, common) else []
    words = (f"{each.metavar}" if each.required else f"[{each.metavar}]" for each in _positionals(command))
    return " ".join(["gigq", name, *options, *words])


def _section(name: str, command: argparse.ArgumentParser, common: set[str]) -> Iterator[str]:
    actions = [*_positionals(command), *_options(command, common)]
    yield from ("", f"## {name}", "", f"`{usage(name, command, common)}`", "", command.description or "")
    if actions:
        yield ""
        yield from _table(actions)


def _table(actions: list[argparse.Action]) -> Iterator[str]:
    yield from ("| option | meaning |", "|---|---|")
    for action in actions:
        yield f"| {_spelling(action)} | {_escaped(action.help or '')} |"


def _spelling(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{action.metavar}`"
    value = "" if action.nargs == 0 else f" {_escaped(_metavar(action))}"
    return ", ".join(f"`{each}{value}`" for each in action.option_strings)


def _metavar(action: argparse.Action) -> str:
    if action.choices:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _positionals(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not action.option_strings]


def _options(parser: argparse.ArgumentParser, common: set[str] | None = None) -> list[argparse.Action]:
    """The options of a parser, without ``--help`` and those that all commands have."""
    without = {"help", *(common or ())}
    shown = [action for action in parser._actions if action.help is not argparse.SUPPRESS]
    return [action for action in shown if action.option_strings and action.dest not in without]


if __name__ == "__main__":
    print(page(), end="")
