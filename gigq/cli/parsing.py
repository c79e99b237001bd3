"""Parsers that read a command's words, report an error in one line, and are built when their command is typed."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from gigq.cli.exits import UsageError
from gigq.cli.terminal import width_for_help
from gigq.cli.words import arranged, with_files


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
            known = f"{value!r} is not one of {', '.join(map(str, action.choices))}"
            raise argparse.ArgumentError(action, known + perhaps(str(value), among=map(str, action.choices)))

    @property
    def names(self) -> dict[str, str]:
        """What people type for each value that a command reads, such as ``--run-at`` for ``run_at``."""
        # Of several actions for one value the first counts.
        return {each.dest: (each.option_strings or [str(each.metavar)])[-1] for each in reversed(self._actions)}

    @property
    def absent(self) -> dict[str, Any]:
        """The value of each argument that is not typed and has no default: None, or the one that a switch changes."""
        switches = (True, False)
        return {each.dest: not each.const if each.const in switches else None for each in self._actions}


class TopParser(Parser):
    """The parser of the whole command line."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(with_files(self._option_string_actions, args, until_command=True), namespace)


class LazyParser(Parser):
    """The parser of a command, which is built when it is first used.

    Building the parsers of all commands takes longer than most commands do: argparse looks on the disk for a
    translation of each of its words.

    Attributes:
        fill: adds the options of the command.
        is_family: whether it only leads to commands of two words.
        examples: what people type, each with what it does; at the end of the help.
    """

    fill: Callable[[LazyParser], None]
    is_family = False
    examples: Iterable[tuple[str, str]] = ()
    notes: Iterable[str] = ()

    def __init__(self, **settings: Any) -> None:
        self._settings: dict[str, Any] | None = settings

    def build(self) -> None:
        """Build the parser, unless that was done before."""
        if self._settings is not None:
            super().__init__(**self._settings)
            self._settings = None
            self.fill(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.build()
        if not self.is_family:
            options = self._option_string_actions
            args = arranged(options, with_files(options, args))
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:  # argparse would leave it to the parser of all commands, whose help does not list the options
            known = self._option_string_actions if unknown[0].startswith("-") else ()
            guess = perhaps(unknown[0].partition("=")[0], among=known)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{guess}")
        return found, unknown

    def format_help(self) -> str:
        """Return the help, with examples at its end."""
        lines = [f"  {typed}\n      {meaning}" for typed, meaning in self.examples]
        examples = "\n".join(["", "examples:", *lines, ""]) if lines else ""
        return super().format_help() + examples + "".join(f"\n{note}\n" for note in self.notes)


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
    return re.sub(_ARGUMENT, typed, message, flags=re.VERBOSE)


_ARGUMENT = r"""
    '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*"  # a value, which is somebody's own
    | (?:^|(?<=[:;]\ ))(?:an\ entry\ of\ )?(?P<about>\w+)(?=\ is\ |\ and\ |\ must\ )  # what the sentence is about
    | \b(?P<given>\w+)(?:=(?=[\s;,.]|$)|(?=\ were\ ))  # an argument that is named to be given, or not
    | \b(?P<known>[a-z]+_[a-z_]+|None)\b  # what can be nothing else
    """


class _HelpFormatter(argparse.HelpFormatter):
    """argparse's own, which would import shutil to ask for the terminal's width whenever an option is added."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, **{"width": width_for_help(os.environ) - 2, **settings})

    def _format_action_invocation(self, action: argparse.Action) -> str:
        text = super()._format_action_invocation(action)
        return text + "[=FIELDS]" if action.option_strings[:1] in (["--json"], ["--jsonl"]) else text
