"""What a command answers: a value for programs, lines for people, IDs for other commands, and an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gigq.cli.exits import DONE
from gigq.cli.styled import Line


class Answer:
    """What a command answers. Which part of it is printed depends on the options.

    Attributes:
        value: for programs: a record, a list of records, or anything else that JSON has. A record is a dict, or has
            `as_dict`.
        lines: for people. They are made when they are printed, so they may be a generator.
        ids: what ``-q`` prints, a line each.
        code: the exit code.
        suggestions: commands that people often type next, on standard error of a terminal.
        notes: what both people and programs should know, on standard error.
    """

    __slots__ = ("code", "ids", "lines", "notes", "suggestions", "value")

    def __init__(
        self,
        value: Any,
        lines: Iterable[Line] = (),
        *,
        ids: Iterable[str] = (),
        code: int = DONE,
        suggestions: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> None:
        self.value = value
        self.lines = lines
        self.ids = ids
        self.code = code
        self.suggestions = suggestions
        self.notes = notes
