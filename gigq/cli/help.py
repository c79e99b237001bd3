"""The help that is not of one command: the list of all commands, and the short one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from textwrap import wrap

from gigq.cli.command import Argument
from gigq.cli.commands import COMMANDS, FAMILIES, GROUPS, Row
from gigq.cli.common import COMMON
from gigq.cli.exits import EXIT_CODES
from gigq.cli.terminal import width_for_help
from gigq.cli.topics import TOPICS, Topic

_WHAT = "gigq: a durable job queue in one SQLite file."
_USAGE = "usage: gigq [OPTION …] COMMAND [WORD …]"

EXAMPLES = (
    ("gigq submit shop.send_mail -p to=ann@example.org", "submit a call of send_mail in shop.py"),
    ("gigq worker", "run jobs, until Ctrl-C"),
    ("gigq list --status failed", "see what failed"),
    ("gigq why ID", "learn why a job is not running, or how it ended"),
)
"""What people type first."""


def brief(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the short help, which ``gigq`` alone prints: the commands that are used most."""
    width = width_for_help(environ)
    yield from (_USAGE, "", _WHAT, "", *_examples(), "")
    yield from _rows({words: row for words, row in COMMANDS.items() if row.is_common}, width)
    yield ""
    yield from wrap("gigq --help lists all commands; gigq COMMAND --help says how to use one.", width)


def overview(environ: Mapping[str, str]) -> str:
    """Return the list of all commands, by what they are for, with the options and exit codes that all have."""
    return "".join(f"{line}\n" for line in _overview(width_for_help(environ)))


def _overview(width: int) -> Iterator[str]:
    yield from (_USAGE, "", _WHAT, "", *_examples())
    for group, title in GROUPS.items():
        yield from ("", f"{title}:")
        yield from _rows(_of_group(group), width)
    yield from ("", "Options of every command, typed before it or after it:")
    for each in COMMON:
        if not each.is_hidden:
            yield from _row(_spelling(each), each.help, 18, width)
    yield from ("", "Exit codes:")
    for code, meaning in EXIT_CODES.items():
        yield from _row(str(code), meaning, 5, width)
    yield ""
    yield from wrap(f"gigq help COMMAND says how to use a command; there is also gigq help {_topics()}.", width)


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


def _topics() -> str:
    *first, last = TOPICS
    return f"{', '.join(first)} and {last}"


def _spelling(option: Argument) -> str:
    names = ", ".join(option.names)
    if option.takes_value:
        return f"{names} {_value_of(option)}"
    return f"{names}[=FIELDS]" if names.startswith("--json") else names


def _value_of(option: Argument) -> str:
    return str(option.settings.get("metavar") or "|".join(option.settings.get("choices", ())))


def _of_group(group: str) -> dict[str, Row]:
    """The commands of a group. Those of two words are shown by their first one, where its own row says."""
    single = {words: row for words, row in COMMANDS.items() if " " not in words}
    return {words: row for words, row in {**single, **FAMILIES}.items() if row.group == group}


def _examples() -> Iterator[str]:
    yield "Examples:"
    margin = max(len(typed) for typed, _ in EXAMPLES)
    for typed, meaning in EXAMPLES:
        yield f"  {typed:<{margin}}  {meaning}"


def _rows(rows: Mapping[str, Row], width: int) -> Iterator[str]:
    margin = max((len(words) for words in rows), default=0) + 2
    for words, row in rows.items():
        yield from _row(words, row.summary, margin, width)


def _row(first: str, text: str, margin: int, width: int) -> Iterator[str]:
    lines = wrap(text, max(20, width - margin - 2)) or [""]
    yield f"  {first:<{margin}}{lines[0]}"
    yield from (f"  {'':<{margin}}{line}" for line in lines[1:])
