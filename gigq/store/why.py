"""The facts that decide whether a job runs, or that say what became of it, all of one instant."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gigq.liveness import WorkerKey
from gigq.records import JobRecord
from gigq.status import JobStatus
from gigq.store import reading
from gigq.store.engine.transaction import Transaction
from gigq.store.found import FOUND
from gigq.store.limits import instant_of
from gigq.store.missing import waits_until
from gigq.store.queue_facts import QueueFacts, QueueLook
from gigq.store.tables import OPEN, READY
from gigq.store.waits import Wait, waited_for_by, waiting_for
from gigq.store.worker_health import WorkerHealth, health

MOST_AHEAD = 1000
"""Jobs ahead of one that are counted: to a person, more make no difference."""

_MOST_NAMED = 3
"""Parents that are named one by one."""


class RelatedJob(NamedTuple):
    """Another job that decides about this one."""

    id: str
    name: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFacts:
    """What a pending job waits for.

    Attributes:
        has_begun: whether its function has been called before, so that it does not expire.
        blockers: how many parents are unfinished.
        parents: the first of these, in the order in which the job names them.
        submitters: jobs that have submitted others of these, which it does not name, and how many: those with the most.
        ahead: how many jobs of its queue go first, at most `MOST_AHEAD` + 1; 0 for a job that is not ready itself.
        workers: all workers, and the programs that claim jobs manually.
        waiters: running jobs whose functions wait for this one.
        fails_at: when it fails if no worker finds its function, where a worker has not found it and none has since.
    """

    queue: QueueFacts
    has_begun: bool
    blockers: int
    parents: Sequence[RelatedJob]
    submitters: Sequence[tuple[RelatedJob, int]]
    ahead: int
    workers: Sequence[WorkerHealth]
    waiters: Sequence[Wait]
    fails_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the file knows of a job at one instant.

    Attributes:
        now: the instant.
        pending: for a pending job, what it waits for.
        holder: for a running job, the worker that has it, if it is registered.
        waits: for a running job, the unfinished jobs for which its function waits.
        root: for a job that was cancelled because of another one, that one: the ancestor with which it began.
    """

    now: datetime
    job: JobRecord
    pending: PendingFacts | None = None
    holder: WorkerHealth | None = None
    waits: Sequence[Wait] = ()
    root: RelatedJob | None = None


def facts(tx: Transaction, job_id: str, *, gone: Collection[WorkerKey]) -> Facts | None:
    """Return what the file knows of a job; None for an unknown id.

    Args:
        gone: the workers whose process has certainly ended.
    """
    job = reading.job(tx, job_id)
    if job is None:
        return None
    if job.status is JobStatus.PENDING:
        return Facts(now=tx.now, job=job, pending=_pending(tx, job, health(tx, gone=gone)))
    if job.status is JobStatus.RUNNING:
        holder = _holder(tx, job, health(tx, gone=gone))
        return Facts(now=tx.now, job=job, holder=holder, waits=waited_for_by(tx, job.id))
    return Facts(now=tx.now, job=job, root=_root(tx, job))


def _pending(tx: Transaction, job: JobRecord, workers: Sequence[WorkerHealth]) -> PendingFacts:
    has_begun, blockers = tx.execute("SELECT has_begun, blockers FROM jobs WHERE id = ?", (job.id,)).fetchone()
    return PendingFacts(
        queue=QueueLook(tx).facts(job.queue),
        has_begun=bool(has_begun),
        blockers=blockers,
        parents=_parents(tx, job) if blockers else (),
        submitters=_submitters(tx, job) if blockers else (),
        ahead=_ahead(tx, job),
        workers=workers,
        waiters=waiting_for(tx, job.id, most=_MOST_NAMED),
        fails_at=waits_until(tx, job.function, _ready_at(tx, job)),
    )


def _ready_at(tx: Transaction, job: JobRecord) -> datetime | None:
    return instant_of(tx.value("SELECT coalesce(ready_at, created_at) FROM jobs WHERE id = ?", (job.id,)))


def _parents(tx: Transaction, job: JobRecord) -> list[RelatedJob]:
    """Return the first unfinished parents."""
    found = tx.execute(
        """
        SELECT parents.id, parents.name, parents.status
          FROM job_dependencies
          JOIN jobs AS parents ON parents.seq = job_dependencies.parent
         WHERE job_dependencies.child = (SELECT seq FROM jobs WHERE id = :id)
           AND parents.status IN ('pending', 'running')
         ORDER BY job_dependencies.position
         LIMIT :most
        """,
        {"id": job.id, "most": _MOST_NAMED},
    )
    return [RelatedJob(*row) for row in found]


def _submitters(tx: Transaction, job: JobRecord) -> list[tuple[RelatedJob, int]]:
    """Return which jobs have submitted the unfinished parents that the job does not name, and how many."""
    found = tx.execute(
        """
        SELECT submitters.id, submitters.name, submitters.status, count(*)
          FROM job_dependencies
          JOIN jobs AS parents ON parents.seq = job_dependencies.parent
          JOIN jobs AS submitters ON submitters.seq = parents.submitted_by
         WHERE job_dependencies.child = (SELECT seq FROM jobs WHERE id = :id)
           AND job_dependencies.position >= :found
           AND parents.status IN ('pending', 'running')
         GROUP BY submitters.seq
         ORDER BY count(*) DESC, submitters.seq
         LIMIT :most
        """,
        {"id": job.id, "found": FOUND, "most": _MOST_NAMED},
    )
    return [(RelatedJob(*row), number) for *row, number in found]


def _ahead(tx: Transaction, job: JobRecord) -> int:
    """Return how many ready jobs of its queue go first. Before the job is ready itself, nobody knows."""
    ahead: int = tx.value(
        f"""
        WITH own AS (SELECT seq, priority, queue FROM jobs WHERE id = :id AND {READY})
        SELECT count(*)
          FROM own
          JOIN (SELECT priority, seq
                  FROM jobs INDEXED BY jobs_ready
                 WHERE {READY}
                   AND queue = (SELECT queue FROM own)
                 ORDER BY priority DESC, seq
                 LIMIT :most) AS first
         WHERE first.priority > own.priority
            OR (first.priority = own.priority AND first.seq < own.seq)
        """,
        {"id": job.id, "most": MOST_AHEAD + 1},
    )
    return ahead


def _holder(tx: Transaction, job: JobRecord, workers: Sequence[WorkerHealth]) -> WorkerHealth | None:
    seq = tx.value(
        f"SELECT worker_seq FROM executions WHERE job_seq = (SELECT seq FROM jobs WHERE id = ?) AND {OPEN}", (job.id,)
    )
    return next((each for each in workers if each.key.seq == seq), None)


def _root(tx: Transaction, job: JobRecord) -> RelatedJob | None:
    found = tx.execute(
        "SELECT id, name, status FROM jobs WHERE seq = (SELECT failed_parent FROM jobs WHERE id = ?)", (job.id,)
    ).fetchone()
    return found and RelatedJob(*found)
