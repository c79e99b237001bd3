"""The environment variables that gigq heeds, with what holds now and where that comes from."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gigq.cli.command import Argument
from gigq.cli.commands import COMMANDS, declared
from gigq.cli.exits import UsageError
from gigq.cli.wording import perhaps


class Variable(NamedTuple):
    """An environment variable.

    Attributes:
        name: its name.
        meaning: what it is the default of, or what it does.
        default: what holds where it is not set, in words.
        argument: the argument that it is the default of.
    """

    name: str
    meaning: str
    default: str = ""
    argument: Argument | None = None


_GENERAL = (
    Variable("GIGQ_DB", "--db", "gigq.db"),
    Variable("GIGQ_COLOR", "--color", "auto"),
    Variable("GIGQ_PAGER", "the program for long reads; empty for none", "PAGER, else less -FRX"),
    Variable("GIGQ_REDACT", "more keys whose values are secret, with commas, such as card,ssn"),
    Variable("GIGQ_NETWORK_FILES", "ok: no warning where the file is on a network file system, used by one machine"),
    Variable("PAGER", "as GIGQ_PAGER, for all programs"),
    Variable("NO_COLOR", "no colours, whatever its value"),
    Variable("CLICOLOR", "0: no colours"),
    Variable("CLICOLOR_FORCE", "1: colours even where nobody looks"),
    Variable("TERM", "dumb: no colours, no signs beyond ASCII, and nothing is drawn twice"),
    Variable("ACCESSIBLE", "nothing is drawn twice: a plain line from time to time instead"),
    Variable("COLUMNS", "the width for tables and help", "that of the terminal"),
    Variable("LINES", "the height from which on a pager is used", "that of the terminal"),
    Variable("XDG_STATE_HOME", "where the last job is remembered, which - names", "~/.local/state"),
    Variable("LOGNAME", "who is written down as having done something", "USER"),
)


def variables() -> Iterator[Variable]:
    """Yield all variables: those of every command, then those that are defaults of options."""
    yield from _GENERAL
    seen: set[str] = set()
    for words in COMMANDS:
        for each in declared(words).arguments:
            if each.env and each.env not in seen:
                seen.add(each.env)
                yield Variable(each.env, f"{words} {_option(each)}", _default_of(each), each)


def held(known: Iterable[Variable], environ: Mapping[str, str]) -> Iterator[tuple[Variable, str, str]]:
    """Yield each variable with what holds and where it comes from: ``environment`` or ``default``."""
    for each in known:
        value = environ.get(each.name, "")
        # Only these two mean something where they are set and empty.
        is_set = bool(value) or (each.name in ("GIGQ_PAGER", "PAGER") and each.name in environ)
        yield (each, value, "environment") if is_set else (each, each.default, "default")


def faults(known: Iterable[Variable], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the variables: values that cannot be, and names of ours that there are not."""
    known = list(known)
    for each in known:
        if each.argument is not None and (text := environ.get(each.name)):
            try:
                each.argument.read(text)
            except UsageError as error:
                yield str(error)
    names = {each.name for each in known}
    for name in sorted(environ):
        if name.startswith("GIGQ_") and name not in names and name != "GIGQ_CHILD":  # set for child processes
            yield f"{name} means nothing to gigq{perhaps(name, among=names)}"


def _option(argument: Argument) -> str:
    return next((name for name in argument.names if name.startswith("--")), argument.names[0])


def _default_of(argument: Argument) -> str:
    """The default as the help of the option says it."""
    _, found, default = str(argument.settings.get("help", "")).rpartition("default: ")
    return default if found else ""
