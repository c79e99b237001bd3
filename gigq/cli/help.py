"""The help: the list of all commands, the short one, how to use a command, and the topics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap

from gigq.cli.command import Argument, Command
from gigq.cli.commands import COMMANDS, FAMILIES, GROUPS, Row, declared
from gigq.cli.common import COMMON, HELP, VERSION
from gigq.cli.exits import EXIT_CODES
from gigq.cli.parser import Typed
from gigq.cli.terminal import width_for_help
from gigq.cli.topics import TOPICS, Topic
from gigq.version import VERSION as _VERSION

_WHAT = "gigq: a durable job queue in one SQLite file."
_USAGE = "usage: gigq [OPTION ...] COMMAND [WORD ...]"
_MARGIN = 24
"""Columns of what is typed, before what it means; what is longer has a line of its own."""

EXAMPLES = (
    ("gigq submit shop.send_mail -p to=ann@example.org", "call send_mail in shop.py"),
    ("gigq worker", "run jobs, until Ctrl-C"),
    ("gigq list --status failed", "see what failed"),
    ("gigq why ID", "why a job is not running"),
)
"""What people type first."""


def asked(typed: Typed, environ: Mapping[str, str]) -> Iterable[str]:
    """Return what was asked for with ``--help`` or ``--version``, or by typing no command."""
    width = width_for_help(environ)
    if typed.asks_for == "version":
        return [f"gigq {_VERSION}"]
    if typed.words:
        return usage(typed.words, width)
    return overview(width) if typed.asks_for else brief(width)


def brief(width: int) -> Iterator[str]:
    """Yield the short help, which ``gigq`` alone prints: the commands that are used most."""
    yield from (_USAGE, "", _WHAT, "", *_examples(EXAMPLES, width), "")
    yield from _rows({words: row for words, row in COMMANDS.items() if row.is_common}, width)
    yield ""
    yield from wrap("gigq --help lists all commands; gigq COMMAND --help says how to use one.", width)


def overview(width: int) -> Iterator[str]:
    """Yield the list of all commands, by what they are for, with the options and exit codes that all have."""
    yield from (_USAGE, "", _WHAT, "", *_examples(EXAMPLES, width))
    for group, title in GROUPS.items():
        yield from ("", f"{title}:")
        yield from _rows(_of_group(group), width)
    yield from ("", "Options of every command, typed before it or after it:")
    yield from _arguments((*COMMON, HELP, VERSION), width)
    yield from ("", "Exit codes:")
    for code, meaning in EXIT_CODES.items():
        yield from _row(str(code), meaning, 5, width)
    yield ""
    *first, last = TOPICS
    topics = f"{', '.join(first)} and {last}"
    yield from wrap(f"gigq help COMMAND says how to use a command; there is also gigq help {topics}.", width)


def usage(words: str, width: int) -> Iterator[str]:
    """Yield how to use a command, or which commands a family has."""
    return _family(words, width) if words in FAMILIES else _command(words, declared(words), width)


def explained(topic: Topic, width: int) -> list[str]:
    """Return the lines of a topic, its paragraphs wrapped, and what is indented continued under its second column."""
    lines: list[str] = []
    for line in topic.text():
        if not line.startswith("  "):
            lines += wrap(line, width)
            continue
        columns = re.match(r"\s+.+?\s{2,}", line)
        indent = min(columns.end() if columns else 4, width // 2)
        lines += wrap(line, width, subsequent_indent=" " * indent, replace_whitespace=False)
    return lines


def typed_words(words: str, command: Command) -> str:
    """Return what is typed for a command. Words that may be left out are in brackets."""
    options = ["[OPTION ...]"] if command.options else []
    positionals = [_positional(each) for each in command.arguments if not each.is_option]
    return " ".join(["gigq", words, *options, *positionals])


def spelling(argument: Argument) -> str:
    """Return what is typed for an argument, with its value."""
    if not argument.is_option:
        return argument.typed_name
    names = ", ".join(argument.names)
    if argument.takes_value:
        value = str(argument.settings.get("metavar") or _choices(argument) or argument.names[-1].lstrip("-").upper())
        return f"{names} [{value}]" if argument.nargs == "?" else f"{names} {value}"
    return f"{names}[=FIELDS]" if names.startswith("--json") else names


def meaning(argument: Argument) -> str:
    """Return what an argument means, with the words that it may have."""
    choices = [str(each) for each in argument.settings.get("choices") or ()]
    is_told = _choices(argument) or all(re.search(rf"\b{re.escape(each)}\b", argument.help) for each in choices)
    return argument.help if is_told else f"{argument.help} ({', '.join(choices)})"


def _command(words: str, command: Command, width: int) -> Iterator[str]:
    yield f"usage: {typed_words(words, command)}"
    for paragraph in command.help.split("\n\n"):
        yield from ("", *wrap(paragraph, width))
    for title, arguments in (
        ("Words", [each for each in command.arguments if not each.is_option]),
        ("Options", command.options),
        ("Options of every command", [*COMMON, HELP]),
    ):
        if arguments:
            yield from ("", f"{title}:")
            yield from _arguments(arguments, width)
    if command.examples:
        yield ""
        yield from _examples(command.examples, width)
    if command.fields:
        yield ""
        yield from wrap(f"Fields of --json: {', '.join(command.fields)}", width)


def _family(word: str, width: int) -> Iterator[str]:
    rows = {words: row for words, row in COMMANDS.items() if words.split()[0] == word}
    default = FAMILIES[word].default
    command = "[COMMAND]" if default else "COMMAND"
    yield from (f"usage: gigq {word} {command} [WORD ...]", "", FAMILIES[word].summary, "", "Commands:")
    yield from _rows(rows, width)
    yield ""
    alone = f" Without COMMAND it is gigq {default}." if default else ""
    yield from wrap(f"gigq {word} COMMAND --help says how to use one.{alone}", width)


def _choices(argument: Argument) -> str:
    """The words that it may have, if they are few."""
    words = "|".join(map(str, argument.settings.get("choices") or ()))
    return words if len(words) <= _MARGIN and not argument.settings.get("metavar") else ""


def _positional(argument: Argument) -> str:
    name = argument.typed_name
    return {None: name, "?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ..."}[argument.nargs]


def _arguments(arguments: Iterable[Argument], width: int) -> Iterator[str]:
    for each in arguments:
        if not each.is_hidden:
            yield from _row(spelling(each), meaning(each), _MARGIN, width)


def _of_group(group: str) -> dict[str, Row]:
    """The commands of a group. Those of two words are shown by their first one, where its own row says."""
    single = {words: row for words, row in COMMANDS.items() if " " not in words}
    return {words: row for words, row in {**single, **FAMILIES}.items() if row.group == group}


def _examples(examples: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    yield "Examples:"
    margin = min(max(len(typed) for typed, _ in examples) + 2, width // 2 + 12)
    for typed, note in examples:
        yield from _row(typed, note, margin, width)


def _rows(rows: Mapping[str, Row], width: int) -> Iterator[str]:
    margin = max((len(words) for words in rows), default=0) + 2
    for words, row in rows.items():
        yield from _row(words, row.summary, margin, width)


def _row(first: str, text: str, margin: int, width: int) -> Iterator[str]:
    lines = wrap(text, max(20, width - margin - 2)) or [""]
    if len(first) + 2 > margin:
        yield f"  {first}"
        first = ""
    yield f"  {first:<{margin}}{lines[0]}".rstrip() if lines[0] else f"  {first}".rstrip()
    yield from (f"  {'':<{margin}}{line}" for line in lines[1:])
