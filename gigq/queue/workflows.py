"""Workflows in a queue: stored, loaded, looked at, waited for, cancelled, and sent back where they failed."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from gigq import checks
from gigq.clock import Clock, Duration, to_seconds
from gigq.errors import InvalidJob, JobNotFinished, JobNotFound, StoreError, WorkflowNotFound
from gigq.job import Job
from gigq.job_ids import JobId
from gigq.liveness import certainly_dead
from gigq.new_job import NewJob
from gigq.process import is_gone, this_process
from gigq.queue import waiting
from gigq.status import UNFINISHED
from gigq.store import acting, joining, workers, workflow_control, workflow_graph, workflow_status, workflows
from gigq.store.engine.budget import Budget
from gigq.store.engine.database import Database
from gigq.store.engine.joined import joined_by
from gigq.store.engine.transaction import Transaction
from gigq.workflow_records import WorkflowGraph, WorkflowRecord, WorkflowStatus


class Submission(NamedTuple):
    """What a workflow hands in.

    Attributes:
        jobs: all of its jobs, parents before their children.
        last: the id of the job that is to run when all others have ended; None if there is none.
        known: the ids of the jobs that it has handed in before or has loaded, and of those that stand for them.
        is_ours: whether the object that hands it in has stored it before, or has loaded it.
    """

    id: str
    name: str
    jobs: Sequence[NewJob]
    last: str | None
    known: Mapping[str, str]
    is_ours: bool


class Submitted(NamedTuple):
    """What has become of it.

    Attributes:
        ids: the id that stands for each of its jobs; or if it was stored by another object, of other jobs, their ids.
        is_ours: whether its jobs are those of the stored workflow.
        is_sure: whether it is committed. Otherwise it was stored in a transaction that may still be rolled back.
    """

    ids: dict[str, JobId]
    is_ours: bool
    is_sure: bool


class Loaded(NamedTuple):
    """A workflow as it was stored; `last` as in `Submission`."""

    id: str
    name: str
    jobs: Sequence[Job]
    last: str | None


def full_id(database: Database, handle: str) -> str:
    """Return the one id of a workflow that begins with this text, or ends with it.

    Raises:
        WorkflowNotFound: none does.
        ValueError: several do, or the text is empty.
    """
    checks.text(handle, "handle")
    with database.read() as tx:
        found = workflows.ids_like(tx, handle, limit=2)
    if not found:
        raise WorkflowNotFound(handle)
    if len(found) > 1:
        raise ValueError(f"several workflows have ids that begin or end with {handle!r:.80}; give more of it")
    return found[0]


def load(database: Database, workflow_id: str) -> Loaded:
    """Return a workflow as it was stored, with the jobs that were found at run time.

    Raises:
        WorkflowNotFound: none has this id.
        StoreError: a row holds what gigq never wrote.
    """
    with database.read() as tx:
        found = workflows.get(tx, workflow_id)
        fields = workflows.jobs(tx, found)
        last = workflows.last_id(tx, found)
    try:
        return Loaded(found.id, found.name, [Job(**each) for each in fields], last)
    except InvalidJob as error:
        raise StoreError(f"workflow {found.id} cannot be read: {error}") from None


def submit(database: Database, wanted: Submission, connection: object = None) -> Submitted:
    """Store a workflow with its jobs. One write transaction.

    If a workflow has the id already, nothing is stored but the jobs that were added to one that is known.

    Raises:
        UnknownParent: a dependency is neither among the jobs nor in the file.
        CyclicWorkflow: a job that was added depends on the last job of the stored workflow.
        InvalidJob: a last job that cannot wait for the others, or jobs that were added to another object's workflow.
    """
    with joining.joined(database, connection), database.write() as tx:
        is_sure = joined_by(database) is None
        found = workflows.find(tx, wanted.id)
        if found is None:
            ids = workflows.store(tx, wanted.id, wanted.name, wanted.jobs, last=wanted.last)
            acting.note(tx, database, "Workflow.submit_all", len(ids), {"name": wanted.name}, workflow=wanted.id)
            return Submitted({job.id: job_id for job, job_id in zip(wanted.jobs, ids, strict=True)}, True, is_sure)
        there, of_submit = workflows.job_ids(tx, found), workflows.job_ids(tx, found, of_submit=True)
        if wanted.is_ours:
            return Submitted(_add(tx, database, found, wanted, there), True, is_sure)
    ours = [job.id for job in wanted.jobs]
    if not set(there).isdisjoint(ours):
        return Submitted({job_id: JobId(job_id, is_new=False) for job_id in ours}, True, True)
    _refuse_more(wanted)
    return Submitted({job_id: JobId(job_id, is_new=False) for job_id in of_submit}, False, True)


def _refuse_more(wanted: Submission) -> None:
    """Refuse jobs that were added to a workflow since it was handed in: another object has stored it."""
    if wanted.known and any(job.id not in wanted.known for job in wanted.jobs):
        raise InvalidJob(
            f"workflow {wanted.id} is in the queue with other jobs, stored by another Workflow object; Workflow.load "
            "gives one to which jobs can be added"
        )


def _add(
    tx: Transaction, database: Database, found: workflows.Workflow, wanted: Submission, there: Collection[str]
) -> dict[str, JobId]:
    """Store the jobs that were added to a workflow since it was submitted or loaded."""
    old = wanted.known.keys() | set(there)
    stored = {job.id: JobId(wanted.known.get(job.id, job.id), is_new=False) for job in wanted.jobs if job.id in old}
    added = [_of_known(job, wanted) for job in wanted.jobs if job.id not in old]
    if not added:
        return stored
    last = None if wanted.last in old else wanted.last
    held = [known for job_id, known in wanted.known.items() if known != job_id]
    ids = workflows.add(tx, found, added, last=last, held=held)
    acting.note(tx, database, "Workflow.submit_all", len(ids), {"name": wanted.name}, workflow=wanted.id)
    return stored | {job.id: job_id for job, job_id in zip(added, ids, strict=True)}


def _of_known(job: NewJob, wanted: Submission) -> NewJob:
    """Return a job whose dependencies are those jobs that stand for the known ones."""
    if job.id == wanted.last:  # which of its parents are still in the file, the store sees itself
        return job._replace(dependencies=tuple(each for each in job.dependencies if each not in wanted.known))
    standing = (wanted.known.get(each, each) for each in job.dependencies)
    return job._replace(dependencies=tuple(dict.fromkeys(standing)))


def records(database: Database, limit: int | None, budget: Budget) -> list[WorkflowRecord]:
    """Return the workflows, the newest first, within a time. Raises ReadTooLong."""
    with budget.read(database) as tx:
        return workflow_status.records(tx, limit=limit)


def graph(database: Database, workflow_id: str) -> WorkflowGraph:
    """Return the jobs of a workflow and what they depend on, in one read.

    Raises:
        WorkflowNotFound: none has this id.
    """
    with database.read() as tx:
        return workflow_graph.graph(tx, workflows.get(tx, workflow_id))


def status(database: Database, workflow_id: str) -> WorkflowStatus:
    """Return where a workflow stands. One read transaction.

    Raises:
        WorkflowNotFound: none has this id.
    """
    here = this_process()
    with database.read() as tx:
        gone = certainly_dead(workers.heartbeats(tx), here=here, is_gone=is_gone)
        return workflow_status.status(tx, workflows.get(tx, workflow_id), gone=gone)


def wait(database: Database, clock: Clock, workflow_id: str, *, timeout: Duration | None) -> WorkflowStatus:
    """Return where a workflow stands once all of its jobs have ended, also those that were found meanwhile.

    Raises:
        JobNotFinished: `timeout` seconds have passed.
        WorkflowNotFound: none has this id.
    """
    limit = None if timeout is None else to_seconds(timeout, "timeout", or_else=", or None to wait forever")
    end = None if limit is None else clock.monotonic() + limit
    while (job_id := _unfinished(database, workflow_id)) is not None:
        left = None if end is None else max(0.0, end - clock.monotonic())
        with suppress(JobNotFound):  # somebody has deleted it
            try:
                waiting.wait(database, clock, [job_id], waiting.nothing, timeout=left)
            except JobNotFinished:
                now = status(database, workflow_id)
                number = sum(now.statuses[each] for each in UNFINISHED)
                raise JobNotFinished(
                    f"{number} of {now.total} jobs of workflow {now.name!r:.80} ({workflow_id}) had not ended after "
                    f"{limit:.15g} s"
                ) from None
    return status(database, workflow_id)


def _unfinished(database: Database, workflow_id: str) -> str | None:
    """Return the id of the job that is likely to end last."""
    with database.read() as tx:
        return workflows.newest_unfinished(tx, workflows.get(tx, workflow_id))


def cancel(database: Database, workflow_id: str) -> int:
    """Cancel the pending and the running jobs of a workflow but the last one, and return how many.

    Raises:
        WorkflowNotFound: none has this id.
    """
    with database.write() as tx:
        done = workflow_control.cancel(tx, workflows.get(tx, workflow_id))
        acting.note(tx, database, "Workflow.cancel", done, workflow=workflow_id)
    return done


def requeue_failed(database: Database, workflow_id: str) -> int:
    """Send back the jobs of a workflow that failed or timed out, and return how many.

    Raises:
        WorkflowNotFound: none has this id.
    """
    with database.write() as tx:
        done = workflow_control.requeue_failed(tx, workflows.get(tx, workflow_id))
        acting.note(tx, database, "Workflow.requeue_failed", done, workflow=workflow_id)
    return done
