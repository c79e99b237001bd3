"""The file of a queue as a replayed job uses it: what it remembers is read there, and what it writes goes to a copy."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from gigq.checks import Default
from gigq.claims import Claim
from gigq.clock import SystemClock
from gigq.job_ids import JobId
from gigq.queue.durable import opener
from gigq.runtime.durable import JobStore, Terms
from gigq.steps import Place, RememberedStep, Step
from gigq.store import replaying, steps
from gigq.store.engine.copying import copy, size
from gigq.store.engine.database import Database
from gigq.store.recalling import Recaller
from gigq.store.schema import reopened

if TYPE_CHECKING:
    from gigq.reports import Report
    from gigq.runtime.durable import AnyJob

_NO_LIMIT = 86_400.0
"""Seconds for which a transaction on the copy may be open: nobody waits for it but who debugs it."""


class ReplayStore:
    """As `JobStore`, for one replay of a job. What it writes is gone when it is closed.

    Steps that an attempt has made are read from the file; those that the replay makes are kept in memory. Transactions,
    and jobs that the job submits, need a file that can be written: a copy, made when the first of them is asked for.

    Args:
        database: the file of the queue, which is only read.
        claim: the call.
        forgets_steps: whether each step is made anew.
        told: is called with a sentence before the file is copied.

    Attributes:
        submitted: the ids of the jobs that the job has submitted, in the copy.
    """

    def __init__(
        self, database: Database, claim: Claim, *, forgets_steps: bool, told: Callable[[str], object]
    ) -> None:
        self.submitted: list[JobId] = []
        self._database = database
        self._claim = claim
        self._forgets_steps = forgets_steps
        self._told = told
        self._made: dict[tuple[str, int], RememberedStep] = {}
        self._recaller = Recaller(claim.job_seq)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copied: JobStore | None = None
        self._copied_database: Database | None = None

    def recall(self, name: str, occurrence: int) -> RememberedStep | None:
        made = self._made.get((name, occurrence))
        if made is not None or self._forgets_steps:
            return made
        return self._recaller.recall(self._database, name, occurrence)

    def recall_again(self) -> None:
        self._recaller.look_again()

    def count_steps(self) -> int:
        with self._database.read() as tx:
            return len(self._made) + (0 if self._forgets_steps else steps.count(tx, self._claim.job_seq))

    def remember(self, step: Step) -> None:
        kept = RememberedStep(step.depth, step.kind, step.fingerprint, step.arguments, step.result)
        self._made[step.name, step.occurrence] = kept

    def transact(self, call: Callable[[Any], Step], terms: Terms) -> Step:
        step = self._copy.transact(call, terms._replace(seconds=_NO_LIMIT))
        self.remember(step)
        return step

    def last_act(self, terms: Terms) -> AbstractContextManager[Any]:
        return self._copy.last_act(terms._replace(seconds=_NO_LIMIT))

    def settle(self, report: Report) -> None:
        self._copy.settle(report)

    def hurry(self) -> None:
        """Nobody waits for the copy."""

    def submit(self, job: AnyJob, *, default: Default | None, place: Place, is_detached: bool) -> JobId:
        return self.submit_many([job], default=default, place=place, is_detached=is_detached)[0]

    def submit_many(
        self, jobs: Iterable[AnyJob], *, default: Default | None, place: Place, is_detached: bool
    ) -> list[JobId]:
        ids = self._copy.submit_many(jobs, default=default, place=place, is_detached=is_detached)
        self.submitted += [each for each in ids if each not in self.submitted]
        return ids

    def close(self) -> None:
        if self._copied is not None:
            self._copied.close()
        if self._copied_database is not None:
            self._copied_database.close()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def _copy(self) -> JobStore:
        """The job's store in a copy of the file.

        Raises:
            RuntimeError: there is no room for one.
        """
        if self._copied is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gigq-replay-", ignore_cleanup_errors=True)
            path = os.path.join(self._folder.name, os.path.basename(self._database.path).strip(":") or "jobs.db")
            self._make(path)
            self._copied_database = reopened(path, durability="normal", clock=SystemClock())
            with self._copied_database.write() as tx:
                claim = replaying.begin_in_copy(tx, self._claim, forgets_steps=self._forgets_steps)
            self._copied = opener(self._copied_database)(claim)
        return self._copied

    def _make(self, path: str) -> None:
        folder = os.path.dirname(path)
        with self._database.read() as tx:
            needed, free = size(tx), shutil.disk_usage(folder).free
            if needed >= free:
                raise RuntimeError(
                    f"the job writes to its queue's file, which a replay does in a copy, and {tempfile.gettempdir()!r} "
                    f"has only {_megabytes(free)} free for its {_megabytes(needed)}; set TMPDIR to a larger disk"
                )
            self._told(f"the job writes to its queue's file: a copy takes its place ({_megabytes(needed)})")
            copy(tx, path)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
