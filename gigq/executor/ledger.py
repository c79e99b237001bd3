"""What the worker of a run writes of its calls and reads of them, in the transactions of its turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from gigq.new_job import NewJob
from gigq.records import JobRecord
from gigq.store import reading, runs
from gigq.store.engine.transaction import Transaction
from gigq.store.runs import Rival, Stored

_MANY = 500
"""Jobs that are cancelled or deleted in one transaction, once there are so many."""

_LOOKED_AT = 1000
"""Calls that are looked up after each heartbeat before which others have written the file."""


class Ledger:
    """Belongs to the loop's thread.

    Args:
        name: the name of the executor; None for one whose jobs are deleted when they have ended.
        queue: the queue of the run.

    Attributes:
        rivals: the workers of runs of this name, when that was last looked at.
    """

    def __init__(self, name: str | None, *, queue: str) -> None:
        self.rivals: Sequence[Rival] = ()
        self._name = name
        self._queue = queue
        self._written: list[str] = []
        self._known: list[Stored] = []
        self._cancelled: dict[str, None] = {}
        self._ended: list[str] = []
        self._cleared: Sequence[str] = ()
        self._held: set[str] = set()
        self._deleted = 0
        self._doubtful: list[str] = []
        self._others: dict[str, JobRecord | None] = {}
        self._version: int | None = None
        self._new_version: int | None = None
        self._rest: Iterator[str] = iter(())

    def __bool__(self) -> bool:
        """Whether there is something left to write."""
        return bool(self._cancelled or self._ended)

    @property
    def is_full(self) -> bool:
        """Whether there is so much to write or look up that it should be done now."""
        return bool(self._doubtful) or len(self._ended) + len(self._cancelled) >= _MANY

    def note_cancelled(self, job_id: str) -> None:
        """Take note that nobody waits for a job any more."""
        self._cancelled[job_id] = None

    def note_abandoned(self, job_id: str) -> None:
        """Take note that this run will not make a call any more; another one may, if the executor has a name."""
        if self._name is None:
            self.note_cancelled(job_id)

    def note_ended(self, job_id: str) -> None:
        """Take note that a job has ended."""
        self._cancelled.pop(job_id, None)
        if self._name is None:
            self._ended.append(job_id)

    def note_doubtful(self, job_id: str) -> None:
        """Take note that somebody else may have ended a job."""
        self._doubtful.append(job_id)

    def store(self, tx: Transaction, jobs: Sequence[NewJob]) -> None:
        """Store calls, or find what has become of them before."""
        self._written = [job.id for job in jobs]
        if self._name is not None:
            self._known = runs.ask(tx, jobs) if jobs else []
            return
        if jobs:
            runs.add(tx, jobs)
        if self._version is None:
            runs.cancel_leftovers(tx)

    def clear(self, tx: Transaction, *, is_due: bool) -> None:
        """Cancel and delete what nobody needs any more, if there is enough of it or it is due."""
        self._cleared, self._deleted = (), 0  # what a transaction that has failed has not written
        if not is_due and len(self._ended) + len(self._cancelled) < _MANY:
            return
        self._cleared, self._deleted = list(self._cancelled), len(self._ended)
        runs.cancel(tx, self._cleared)
        if self._name is None:
            runs.delete(tx, [*self._ended, *self._cleared])
        # One that was claimed ahead of a slot comes back when that has refused it, or when the worker ends.
        self._held = {each.id for each in runs.states(tx, self._cleared) if not each.has_ended}

    def look(self, tx: Transaction, outstanding: Mapping[str, object], *, is_beat: bool) -> None:
        """Look up what others may have done to calls: those in doubt, and with a heartbeat some more."""
        wanted = list(self._doubtful)
        if is_beat:
            wanted += self._next(tx, outstanding)
            self.rivals = runs.rivals(tx, self._name) if self._name else ()
        found = {each.id: each for each in runs.states(tx, wanted)}
        ended = [each.id for each in found.values() if each.has_ended]
        self._others = dict.fromkeys(each for each in wanted if each not in found)
        self._others |= {job_id: reading.job(tx, job_id) for job_id in ended}
        if away := [each.id for each in found.values() if each.queue != self._queue and not each.has_ended]:
            runs.follow(tx, away, queue=self._queue)

    def taken(self) -> tuple[set[str], list[Stored]]:
        """Take note of the commit. Return the ids of the calls that are stored, and those that had completed before."""
        written, known, self._version = self._written, self._known, self._new_version
        for each in self._cleared:
            if each not in self._held:
                self._cancelled.pop(each, None)
        del self._ended[: self._deleted]
        self._written, self._known, self._cleared, self._deleted, self._doubtful = [], [], (), 0, []
        return set(written), known

    def ended_by_others(self) -> Mapping[str, JobRecord | None]:
        """Return the jobs that others have ended; None for one that was deleted."""
        others, self._others = self._others, {}
        return others

    def _next(self, tx: Transaction, outstanding: Mapping[str, object]) -> list[str]:
        """Return the oldest calls, which should have begun first, and in turn some of the others."""
        self._new_version = runs.version_of_data(tx)
        if self._new_version == self._version:
            return []
        oldest = list(islice(outstanding, _LOOKED_AT))
        more = [each for each in islice(self._rest, _LOOKED_AT) if each in outstanding]
        if not more:
            self._rest = iter(list(outstanding))
        return list(dict.fromkeys(oldest + more))
