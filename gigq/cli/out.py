"""Where the answer of a command goes: standard output in the form that was asked for, notes on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from gigq.cli import output
from gigq.cli.answer import Answer
from gigq.cli.forms import IDS, JSON_LINES, Form, written
from gigq.cli.styled import DIM, Line, Styled, shown
from gigq.cli.terminal import Terminal, terminal_of


class Output:
    """Where the answer of a command goes. For one thread.

    Attributes:
        form: the form that was asked for.
        terminal: what standard output can show.
        is_paged: whether lines that do not fit on the terminal are shown in a pager.
    """

    def __init__(
        self, form: Form, terminal: Terminal, *, environ: Mapping[str, str], colour: str, is_paged: bool = False
    ) -> None:
        self.form = form
        self.terminal = terminal
        self.is_paged = is_paged
        self._environ = environ
        self._colour = colour

    @property
    def errors(self) -> Terminal:
        """What standard error can show, where progress is drawn."""
        return terminal_of(sys.stderr, self._environ, colour=self._colour)

    def measure(self) -> None:
        """Look again at what standard output can show: somebody may have changed the size of the terminal."""
        self.terminal = terminal_of(sys.stdout, self._environ, colour=self._colour)

    def answer(self, answer: Answer) -> None:
        """Print an answer, then its notes, and for a person at a terminal what to type next."""
        self._print(answer)
        for note in answer.notes:
            self.note(note)
        if self.form.is_for_people and answer.suggestions:
            self._suggest(answer.suggestions)

    def put(self, value: Any, lines: Iterable[Line] = (), *, ids: Iterable[str] = ()) -> None:
        """Print a part of an answer at once: for programs a line of JSON, whether with ``--json`` or ``--jsonl``."""
        form = self.form if self.form.kind != "json" else self.form._replace(kind=JSON_LINES)
        self._print(Answer(value, lines, ids=ids), form)
        output.flush()

    def write(self, lines: Iterable[Line]) -> None:
        """Print lines, each of them cleaned, whatever form was asked for."""
        for line in lines:
            output.put(shown(line, self.terminal))

    def write_exactly(self, lines: Iterable[str]) -> None:
        """Write lines for a program as they are. Not to a terminal: there a job's text could do something."""
        assert not self.terminal.is_terminal
        for line in lines:
            output.put(line)

    def note(self, message: str) -> None:
        """Print one line on standard error, which begins with ``gigq:``."""
        output.note(message)

    def _print(self, answer: Answer, form: Form | None = None) -> None:
        form = form or self.form
        if form.is_for_people:
            self._print_lines(answer.lines)
        elif form.kind == IDS:
            self.write(answer.ids)
        else:
            for line in written(form, answer.value):
                output.put(line)

    def _print_lines(self, lines: Iterable[Line]) -> None:
        if self.is_paged and self.terminal.is_terminal:
            from gigq.cli import pager

            lines = list(lines)
            if pager.show([shown(line, self.terminal) for line in lines], self.terminal, self._environ):
                return
        self.write(lines)

    def _suggest(self, suggestions: Iterable[str]) -> None:
        errors = self.errors
        if not (errors.is_terminal and self.terminal.is_terminal):
            return
        for each in suggestions:
            print(shown(Styled(f"  {each}", DIM), errors), file=sys.stderr)
