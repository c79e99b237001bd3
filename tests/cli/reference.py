"""Writes docs/reference/cli.md from the parser: ``PYTHONPATH=. python tests/cli/reference.py > docs/reference/cli.md``.

The words are argparse's own, the layout is ours: that of ``--help`` differs from one Python to the next.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from gigq.cli.parser import build_parser

_HEAD = """\
# Command line

<!-- Written by tests/cli/reference.py from the parser; a test fails when it is stale. -->

`gigq [--db PATH] [--json] COMMAND`, and the same as `python -m gigq`.

An `ID` may be shortened to any beginning that only one job's id has.
A `DURATION` is a number of seconds, or such as `30s`, `5m`, `2h`, `7d`.

Only `submit` and `worker` create the queue's file.
Whatever a job carries, control characters in it are printed as visible escapes such as `\\x1b`.

| exit code | means |
|---|---|
| 0 | done |
| 1 | refused, failed, or not found; one line on standard error says why |
| 2 | the command was typed wrongly, or a variable of the environment holds what its option could not |
| 130 | interrupted |

| variable | is the default of |
|---|---|
| `GIGQ_DB` | `--db` |
| `GIGQ_WORKER_ID` | `worker --worker-id` |
| `GIGQ_POLLING_INTERVAL` | `worker --polling-interval` |
| `GIGQ_CONCURRENCY` | `worker --concurrency` |

## Options of every command

They may stand before the command or after it.
"""


def page() -> str:
    """Return the whole page."""
    parser = build_parser()
    lines = [_HEAD, *_table(_options(parser))]
    common = {action.dest for action in _options(parser)}
    for name, command in _commands(parser).items():
        lines += _section(name, command, common)
    return "\n".join(lines) + "\n"


def _section(name: str, command: argparse.ArgumentParser, common: set[str]) -> Iterator[str]:
    positionals = [action for action in command._actions if not action.option_strings]
    options = [action for action in _options(command) if action.dest not in common]
    usage = " ".join(["gigq", name, *(["[OPTION …]"] if options else []), *(str(each.metavar) for each in positionals)])
    yield from ("", f"## {name}", "", f"`{usage}`", "", command.description or "")
    if positionals or options:
        yield ""
        yield from _table([*positionals, *options])


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


def _options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.option_strings and action.dest != "help"]


def _commands(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """All commands by what is typed for them, those of a group after its name."""
    groups = (each.choices for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    found = {}
    for name, command in next(groups, {}).items():
        inner = _commands(command)
        found |= {f"{name} {word}": each for word, each in inner.items()} if inner else {name: command}
    return found


if __name__ == "__main__":
    print(page(), end="")
