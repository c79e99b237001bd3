"""The declaration of a command: the function that does it, its options, and its docstring as its help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from gigq.cli import output
from gigq.cli.call import Call, UsageError


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_HelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


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
