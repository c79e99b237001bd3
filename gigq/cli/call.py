"""One command as it was typed: its options, the defaults in the environment, its queue and its answer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gigq.cli import output
from gigq.errors import JobNotFound

if TYPE_CHECKING:
    from gigq.queue.job_queue import JobQueue
    from gigq.records import JobRecord


class UsageError(Exception):
    """The command was typed wrongly: exit code 2."""


class Refused(Exception):
    """The command was understood and not carried out: exit code 1."""


class Call:
    """What a command is given to do its work.

    Attributes:
        options: what was typed. An option that was not typed is missing, except `db` and `json`.
        environ: the environment variables.
    """

    def __init__(self, *, options: argparse.Namespace, environ: Mapping[str, str]) -> None:
        self.options = options
        self.environ = environ

    def given(self, *names: str) -> dict[str, Any]:
        """Return those of these options that were typed. The defaults of the others are the library's."""
        return {name: value for name, value in vars(self.options).items() if name in names}

    def setting(self, name: str, variable: str, read: Callable[[str], Any]) -> dict[str, Any]:
        """Return an option as it was typed, or else from an environment variable; nothing if neither is set.

        Raises:
            UsageError: the variable has a value that the option cannot have.
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
        """The path of the queue."""
        typed: str | None = self.options.db
        return typed if typed is not None else self.environ.get("GIGQ_DB") or "gigq.db"

    def check_path(self) -> None:
        """Refuse to create a queue in memory.

        Raises:
            UsageError: it would end with the command.
        """
        if self.options.creates_file and self.path in (":memory:", "sqlite:///:memory:"):
            raise UsageError("a queue in memory would be gone when this command ends; give --db a file")

    def why_not_opened(self, message: str) -> str:
        """Return why there is no queue to open, with how to name another file where nobody has named one."""
        is_named = self.options.db is not None or self.environ.get("GIGQ_DB")
        return message if is_named else f"{message}; --db PATH or GIGQ_DB names another file"

    def open_queue(self) -> JobQueue:
        """Open the queue. Only a command that is declared so creates the file."""
        from gigq.queue.job_queue import JobQueue  # only here: `gigq version` and `--help` need no queue

        self.check_path()
        return JobQueue(self.path, initialize=self.options.creates_file)

    def look(self) -> JobQueue:
        """Open the queue for a command that only looks: no file is made, and none need be writable."""
        from gigq.queue.job_queue import JobQueue

        return JobQueue(self.path, read_only=True)

    def job(self, queue: JobQueue) -> JobRecord:
        """Return the job whose ID, or a prefix of it, was typed.

        Raises:
            JobNotFound: no job has such an ID.
            ValueError: several jobs have.
        """
        record = queue.get_job(queue.full_id(self.options.id))
        if record is None:
            raise JobNotFound(self.options.id)
        return record

    def workflow(self, queue: JobQueue, prefix: str) -> str:
        """Return the ID of the workflow that was typed, whole or a prefix of it.

        Raises:
            WorkflowNotFound: no workflow has such an ID.
            ValueError: several workflows have.
        """
        from gigq.queue.workflows import full_id  # only here: few commands are about workflows

        return full_id(queue.database, prefix)

    def resolved(self, queue: JobQueue, filters: dict[str, Any]) -> dict[str, Any]:
        """Return filters with the whole ID of a workflow in the place of what was typed. Raises as `workflow`."""
        typed = filters.get("workflow")
        return filters if typed is None else filters | {"workflow": self.workflow(queue, typed)}

    def answer(self, value: Any, lines: Iterable[str]) -> None:
        """Print a value for programs with ``--json``, or else lines for people."""
        if self.options.json:
            output.write_json(value)
        else:
            output.write(lines)
