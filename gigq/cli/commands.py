"""The declaration of a command: the function that does it, its options, and its docstring as its help."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from gigq.cli import output
from gigq.cli.call import Call, UsageError


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, in words of the command line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_HelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        for python, words in _WORDS.items():
            message = re.sub(python, words, message)
        raise UsageError(f"{message}{' See' if message.endswith('?') else '; see'} {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # argparse shows the choices as Python writes them, and differently from version to version.
        if action.choices is not None and value not in action.choices:
            if isinstance(action, argparse._SubParsersAction):
                self.error(f"there is no command {value!r}{perhaps(value, among=action.choices)}")
            raise argparse.ArgumentError(action, f"{value!r} is not one of {', '.join(map(str, action.choices))}")

    @property
    def names(self) -> dict[str, str]:
        """What people type for each value that a command reads, such as ``--run-at`` for ``run_at``."""
        # Of several actions for one value the first counts.
        return {each.dest: (each.option_strings or [str(each.metavar)])[-1] for each in reversed(self._actions)}


_WORDS = {
    "^argument ": "",
    "not allowed with argument ": "not allowed with ",
    "expected (one|at least one) argument": "a value is missing",
    "ignored explicit argument '.*'": "takes no value",
}
"""What argparse says, and what it means."""


def perhaps(typed: str, *, among: Iterable[str]) -> str:
    """Return what was perhaps meant, for the end of a message; empty if nothing is like what was typed."""
    from difflib import get_close_matches  # only here: it takes as long to import as most commands take

    close = get_close_matches(typed, list(among))
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def in_typed_words(message: str, names: Mapping[str, str]) -> str:
    """Return a message of the library with its arguments called as they are typed, such as ``--run-at``.

    Args:
        names: what people type for each argument.
    """

    def typed(found: re.Match[str]) -> str:
        return names.get(found["about"] or found["given"] or found["known"] or found[0], found[0])

    names = {**names, "None": "none"}
    return _ARGUMENT.sub(typed, message)


_ARGUMENT = re.compile(
    r"""
    '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*"  # a value, which is somebody's own
    | (?:^|(?<=[:;]\ ))(?:an\ entry\ of\ )?(?P<about>\w+)(?=\ is\ |\ and\ |\ must\ )  # what the sentence is about
    | \b(?P<given>\w+)(?:=(?=[\s;,.]|$)|(?=\ were\ ))  # an argument that is named to be given, or not
    | \b(?P<known>[a-z]+_[a-z_]+|None)\b  # what can be nothing else
    """,
    re.VERBOSE,
)


class Command:
    """What a module of commands declares for each of its commands.

    Attributes:
        run: the function that does it. Its docstring is the command's help.
        add_options: adds its options to a parser. An option that is not typed is missing from what `run` gets, unless
            its declaration says otherwise.
        creates_file: whether it creates the queue's file where there is none.
    """

    def __init__(
        self,
        run: Callable[[Call], None],
        add_options: Callable[[Parser], None] = lambda parser: None,
        *,
        creates_file: bool = False,
    ) -> None:
        self.run = run
        self.add_options = add_options
        self.creates_file = creates_file

    @property
    def help(self) -> str:
        """The docstring, without its indentation."""
        return "\n".join(line.strip() for line in (self.run.__doc__ or "").splitlines()).strip()


class _HelpFormatter(argparse.HelpFormatter):
    """argparse's own, which would import shutil to ask for the terminal's width whenever an option is added."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, **{"width": output.terminal_width(otherwise=80) - 2, **settings})
