"""What was typed for a command, the variables that hold defaults, and where its answer goes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gigq.cleaning import clean
from gigq.cli.exits import UsageError
from gigq.cli.opening import CHANGE, CREATE, LOOK
from gigq.errors import JobNotFound

if TYPE_CHECKING:
    from gigq.cli.out import Output
    from gigq.cli.terminal import Terminal
    from gigq.queue.job_queue import JobQueue
    from gigq.records import JobRecord


class Args:
    """What was typed for a command.

    An argument is an attribute. One that was not typed, and has no default in its declaration or in its environment
    variable, is None; a switch is False.

    Attributes:
        environ: the environment variables.
        out: where a command writes that answers bit by bit.
    """

    def __init__(
        self, values: Mapping[str, Any], *, absent: Mapping[str, Any], environ: Mapping[str, str], out: Output
    ) -> None:
        self.environ = environ
        self.out = out
        self._values = values
        self._absent = absent

    def __getattr__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        if name in self._absent:
            return self._absent[name]
        raise AttributeError(f"the command has no argument {name!r}")

    def given(self, *names: str) -> dict[str, Any]:
        """Return those of these arguments that were typed. The defaults of the others are the library's."""
        return {name: value for name, value in self._values.items() if name in names}

    @property
    def terminal(self) -> Terminal:
        """What standard output can show."""
        return self.out.terminal

    @property
    def path(self) -> str:
        """The path of the queue."""
        typed: str | None = self.db
        return typed if typed is not None else self.environ.get("GIGQ_DB") or "gigq.db"

    def check_path(self) -> None:
        """Refuse to create a queue in memory.

        Raises:
            UsageError: it would end with the command.
        """
        if self.path in (":memory:", "sqlite:///:memory:"):
            raise UsageError("a queue in memory would be gone when this command ends; give --db a file")

    def why_not_opened(self, message: str) -> str:
        """Return why there is no queue to open, with how to name another file where nobody has named one."""
        is_named = self.db is not None or self.environ.get("GIGQ_DB")
        return message if is_named else f"{message}; --db PATH or GIGQ_DB names another file"

    @contextmanager
    def open(self, how: str) -> Iterator[JobQueue]:
        """Open the queue to `LOOK` at it, to `CHANGE` it, or to `CREATE` its file too where there is none.

        What is changed is written down as done by this user.
        """
        from gigq.queue.job_queue import JobQueue  # only here: `gigq version` and `--help` need no queue

        assert how in (LOOK, CHANGE, CREATE), how
        if how == CREATE:
            self.check_path()
        if how == LOOK:
            with JobQueue(self.path, read_only=True) as queue:
                yield queue
            return
        with JobQueue(self.path, initialize=how == CREATE) as queue, queue.acting_as(self.user, "cli"):
            yield queue

    @property
    def user(self) -> str:
        """Who types: the name of the user, or else the number."""
        for name in ("LOGNAME", "USER", "USERNAME"):
            if typed := self.environ.get(name, "").strip():
                return clean(typed)
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"

    def job(self, queue: JobQueue, typed: str | None = None) -> JobRecord:
        """Return the job whose ID was typed, whole or in part, and remember it as the last one of this user.

        Args:
            typed: by default the argument ``id``; `-` is the last one, or the one on standard input.

        Raises:
            JobNotFound: no job has such an ID.
            Refused: several jobs have; or `-`, and there is not exactly one.
        """
        from gigq.cli.choosing import job_id  # only here: few commands are about one job

        whole = job_id(queue, typed if typed is not None else self.id)
        record = queue.get_job(whole)
        if record is None:
            raise JobNotFound(whole)
        return record

    def workflow(self, queue: JobQueue, typed: str) -> str:
        """Return the ID of the workflow that was typed, whole or in part.

        Raises:
            WorkflowNotFound: no workflow has such an ID.
            ValueError: several workflows have.
        """
        from gigq.queue.workflows import full_id  # only here: few commands are about workflows

        return full_id(queue.database, typed)

    def resolved(self, queue: JobQueue, filters: dict[str, Any]) -> dict[str, Any]:
        """Return filters with the whole ID of a workflow in the place of what was typed. Raises as `workflow`."""
        typed = filters.get("workflow")
        return filters if typed is None else filters | {"workflow": self.workflow(queue, typed)}
