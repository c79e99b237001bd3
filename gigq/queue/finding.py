"""The jobs that one execution of a job submits: their ids, which are the same when a retry submits the same work."""

from __future__ import annotations

from collections.abc import Sequence

from gigq.codec import canonical, decode
from gigq.derived_ids import derived_id
from gigq.job_ids import JobId, NewId
from gigq.new_job import NewJob
from gigq.steps import Place
from gigq.store import adopting
from gigq.store.adopting import Submitter
from gigq.store.engine.transaction import Transaction


class Finder:
    """What an execution has submitted so far. Used by one transaction at a time.

    Args:
        job: the `seq` of the job that is running.
    """

    def __init__(self, job: int) -> None:
        self._job = job
        self._numbers: dict[tuple[int, str], int] = {}
        self._ids: dict[str, str] = {}

    def submit(
        self, tx: Transaction, jobs: Sequence[tuple[str, NewJob]], *, place: Place, is_detached: bool
    ) -> list[JobId]:
        """Store jobs, and return their ids. Those that this job has submitted before, in any execution, stay.

        They are told apart by function, arguments and parents, and equal ones by their number in this execution; a job
        with an id or a key of its own by that.

        Args:
            jobs: each with the id that it has as a `Job`.
            place: the step inside which they are submitted: what is remembered is not submitted again, nor counted.
            is_detached: whether the children of the submitter do not wait for them.

        Raises:
            UnknownParent, CyclicWorkflow: what was written is to be rolled back.
        """
        by = adopting.submitter(tx, self._job)  # not once for all: somebody may take it out of its workflow
        made = set[str]()
        found = [self._found(tx, own_id, job, by, place, made) for own_id, job in jobs]
        ids = adopting.submit(tx, found, by, is_detached=is_detached)
        for (own_id, _), job_id in zip(jobs, ids, strict=True):
            self._ids[own_id] = str(job_id)  # that of another job, if that has the same key
        return ids

    def _found(
        self, tx: Transaction, own_id: str, job: NewJob, by: Submitter, place: Place, made: set[str]
    ) -> NewJob:
        """Return a job with the ids that it and its parents have in the file."""
        job = job._replace(dependencies=tuple(self._ids.get(each, each) for each in job.dependencies))
        if not isinstance(own_id, NewId):
            return job
        if own_id not in self._ids:
            self._ids[own_id] = self._next_id(tx, job, by, place, made)
            made.add(self._ids[own_id])
        return job._replace(id=self._ids[own_id])

    def _next_id(self, tx: Transaction, job: NewJob, by: Submitter, place: Place, made: set[str]) -> str:
        args, params = canonical(decode(job.args)), canonical(decode(job.params))
        work = derived_id(by.id, by.generation, place.steps, job.function, args, params, job.dependencies)
        # A step that has failed and is called again submits the same jobs again.
        key = place.call, work
        number = self._numbers.get(key, 0)
        # The last one is gone if the transaction that stored it was rolled back.
        while number and (last := derived_id(by.id, work, number)) not in made and not adopting.is_stored(tx, last):
            number -= 1
        self._numbers[key] = number + 1
        return derived_id(by.id, work, number + 1)
