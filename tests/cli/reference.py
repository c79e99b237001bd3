"""Writes docs/reference/cli.md from what the commands declare.

PYTHONPATH=.:tests:tests/cli python tests/cli/reference.py > docs/reference/cli.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gigq.cli import EXIT_CODES
from gigq.cli.command import Argument, Command
from gigq.cli.commands import COMMANDS, GROUPS, Row, declared
from gigq.cli.common import COMMON, HELP, VERSION
from gigq.cli.forms import JSON_VERSION
from gigq.cli.help import meaning, spelling, typed_words
from gigq.cli.topics import TOPICS
from gigq.cli.variables import variables

_HEAD = """\
# Command line

<!-- Written by tests/cli/reference.py from what the commands declare; a test fails when it is stale. -->

`gigq [OPTION ...] COMMAND [WORD ...]`, and the same as `python -m gigq`.

A `DURATION` is a number of seconds, or has a unit, such as `30s`, `5m`, `2h` or `7d`.
Options may stand before or after the words, and after `--` there are only words.
A word `@file` stands for the words in that file, which are read as a shell reads them.

Only {creating} create the queue's file.
Control characters in the names and values of jobs are printed as visible escapes such as `\\x1b`.

{commands}

## Exit codes

| exit code | meaning |
|---|---|
{exit_codes}

A closed pipe, as in `gigq list | head -1`, is no error.

## Environment

What is typed counts most, then the environment variable, then the default; [`gigq env`](#env) shows what holds.
A variable of an option that may be repeated holds a list with commas, that of a switch yes or no.

| environment variable | what it is | default |
|---|---|---|
{variables}

## Output for programs

`--json` prints one line, a record or a list of records, and `--json=id,name` only these fields.
`--jsonl` prints a line for each record, `--format '{{id}} {{name}}'` a line of text, and `-q` the IDs alone.
They print in ASCII on standard output, without colours; errors and notes are on standard error.
The version of this JSON is {json_version}, which `gigq version --json` prints.
Fields may be added to it; where one is removed, or means another thing, it is raised.

## Topics

`gigq help TOPIC` explains what concerns all commands: {topics}.

## Options of every command

They may be typed before the command or after it.
"""


def page() -> str:
    """Return the whole page."""
    creating = [f"`{words}`" for words in COMMANDS if declared(words).creates_file]
    head = _HEAD.format(
        creating=f"{', '.join(creating[:-1])} and {creating[-1]}",
        commands="\n".join(_contents()),
        exit_codes="\n".join(f"| {code} | {each} |" for code, each in EXIT_CODES.items()),
        variables="\n".join(f"| `{each.name}` | {each.meaning} | {each.default} |" for each in variables()),
        json_version=JSON_VERSION,
        topics="; ".join(f"`{name}` ({topic.summary})" for name, topic in TOPICS.items()),
    )
    lines = [head, *_table([*COMMON, HELP, VERSION])]
    for title, rows in _grouped():
        lines += ["", f"## {title}"]
        for words in rows:
            lines += _section(words, declared(words))
    return "\n".join(lines) + "\n"


def _grouped() -> list[tuple[str, dict[str, Row]]]:
    """The commands of each group, those of a family together."""
    return [
        (title, {words: row for words, row in COMMANDS.items() if row.group == group})
        for group, title in GROUPS.items()
    ]


def _contents() -> Iterator[str]:
    for title, rows in _grouped():
        links = (f"[`{words}`](#{words.replace(' ', '-')})" for words in rows)
        yield f"- {title}: {', '.join(links)}"


def _section(words: str, command: Command) -> Iterator[str]:
    yield from ("", f"### {words}", "", f"`{typed_words(words, command)}`", "", command.help)
    if command.arguments:
        yield from ("", *_table(sorted(command.arguments, key=lambda each: each.is_option)))
    if command.examples:
        yield from ("", *(f"- `{typed}`: {note}" for typed, note in command.examples))
    if command.fields:
        yield from ("", f"Fields of `--json`: {', '.join(command.fields)}.")


def _table(arguments: Iterable[Argument]) -> Iterator[str]:
    yield from ("| option | meaning |", "|---|---|")
    for each in arguments:
        if not each.is_hidden:
            yield f"| `{_escaped(spelling(each))}` | {_escaped(meaning(each))} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
