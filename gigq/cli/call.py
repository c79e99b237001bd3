"""One command as it was typed: its options, the defaults of the environment, its queue and its answer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gigq.cli import output
from gigq.errors import JobNotFound
from gigq.queue.job_queue import JobQueue
from gigq.records import JobRecord


class UsageError(Exception):
    """The command was typed wrongly: exit code 2."""


class Refused(Exception):
    """The command was understood and not done: exit code 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a command is given to do its work.

    Attributes:
        options: what was typed. An option that was not typed is missing, but for `db` and `json`.
        environ: the environment's variables.
    """

    options: argparse.Namespace
    environ: Mapping[str, str]

    def given(self, *names: str) -> dict[str, Any]:
        """Return those of these options that were typed, so that the defaults of all others stay with the library."""
        return {name: value for name, value in vars(self.options).items() if name in names}

    def setting(self, name: str, variable: str, read: Callable[[str], Any]) -> dict[str, Any]:
        """Return an option as typed, else as the environment has it; nothing where neither says.

        Raises:
            UsageError: the variable holds what the option could not.
        """
        typed, text = self.given(name), self.environ.get(variable)
        if typed or not text:
            return typed
        try:
            return {name: read(text)}
        except argparse.ArgumentTypeError as error:
            raise UsageError(f"{variable}: {error}") from None

    @property
    def path(self) -> str:
        """Where the queue is."""
        typed: str | None = self.options.db
        return typed if typed is not None else self.environ.get("GIGQ_DB") or "gigq.db"

    def lasting_path(self) -> str:
        """Return where the queue is, for a command that may create it.

        Raises:
            UsageError: it is in memory, and would end with the command.
        """
        if self.path in (":memory:", "sqlite:///:memory:"):
            raise UsageError("a queue in memory would be gone when this command ends; give --db a file")
        return self.path

    def open_queue(self, *, create: bool = False) -> JobQueue:
        """Open the queue; the file is created only where that is asked for."""
        return JobQueue(self.lasting_path() if create else self.path, initialize=create)

    def job(self, queue: JobQueue) -> JobRecord:
        """Return the job whose id was typed, or the beginning of it.

        Raises:
            JobNotFound: no job has such an id.
            ValueError: several have.
        """
        record = queue.get_job(queue.full_id(self.options.id))
        if record is None:
            raise JobNotFound(self.options.id)
        return record

    def answer(self, value: Any, lines: Iterable[str]) -> None:
        """Print a value for programs with ``--json``, lines for people without."""
        if self.options.json:
            output.write_json(value)
        else:
            output.write(lines)
