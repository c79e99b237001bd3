"""`JobQueue`: everything that a program does with a queue, in the order in which people need it.

Longer than other modules, for its docstrings: each body is a few lines, and what needs more has a module of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

from gigq import checks
from gigq.checks import Default, Texts
from gigq.clock import Clock, Duration, Instant, later, to_clock, to_instant, to_seconds, to_text
from gigq.codec import PARAMS_LIMIT, RESULT_LIMIT, encode
from gigq.errors import JobNotFound, QueueBusy
from gigq.filters import FilterOptions, Filters, Statuses
from gigq.job_ids import JobId, JobRef, id_of, ids_of, is_one
from gigq.lazy import LazyModule
from gigq.priority import to_priority
from gigq.records import JobRecord
from gigq.status import DEAD, PRUNED_BY_DEFAULT, ExecutionStatus
from gigq.store import reading
from gigq.store.engine.budget import Budget
from gigq.store.engine.connections import Durability
from gigq.store.schema import open_queue

if TYPE_CHECKING:
    from gigq import liveness, process, reports
    from gigq.affected import Affected
    from gigq.drawing import cards, queue_card
    from gigq.graph_records import JobGraph
    from gigq.health_records import Finding, Health, QueueInfo
    from gigq.history_records import FailureGroup
    from gigq.job import Job, Submittable
    from gigq.new_job import NewJob
    from gigq.next_records import NextJobs
    from gigq.pages import Count, Page
    from gigq.paths import Function
    from gigq.queue import (
        bounds,
        bulk,
        examining,
        health,
        history,
        looking,
        manual,
        next_jobs,
        overview,
        preparing,
        pruning,
        queues,
        schedules,
        waiting,
        why,
        workflows,
    )  # fmt: skip
    from gigq.queue.bounds import OnChunk
    from gigq.queue.history import History
    from gigq.queue.job_claim import JobClaim
    from gigq.queue.looking import Order
    from gigq.queue.manual import ManualConsumption
    from gigq.queue.queues import Unchanged
    from gigq.queue.schedules import Schedules
    from gigq.queue_records import BackupRecord, QueueRecord, WorkerRecord
    from gigq.steps import StepRecord
    from gigq.store import (
        acting,
        backing_up,
        checking,
        control,
        crew,
        deleting,
        file_facts,
        joining,
        metrics,
        relatives,
        repairing,
        steps,
        submitting,
        workers,
    )
    from gigq.workflow_records import WorkflowRecord
else:
    liveness, process, reports = map(LazyModule, ("gigq.liveness", "gigq.process", "gigq.reports"))
    bulk, manual, preparing = map(LazyModule, ("gigq.queue.bulk", "gigq.queue.manual", "gigq.queue.preparing"))
    pruning, queues = map(LazyModule, ("gigq.queue.pruning", "gigq.queue.queues"))
    bounds, looking = map(LazyModule, ("gigq.queue.bounds", "gigq.queue.looking"))
    overview, schedules = map(LazyModule, ("gigq.queue.overview", "gigq.queue.schedules"))
    examining, health, history = (
        LazyModule(f"gigq.queue.{each}") for each in ("examining", "health", "history")
    )
    next_jobs = LazyModule("gigq.queue.next_jobs")
    file_facts, relatives = map(LazyModule, ("gigq.store.file_facts", "gigq.store.relatives"))
    cards, queue_card = map(LazyModule, ("gigq.drawing.cards", "gigq.drawing.queue_card"))
    waiting, why, workflows = map(LazyModule, ("gigq.queue.waiting", "gigq.queue.why", "gigq.queue.workflows"))
    checking, control, metrics = map(LazyModule, ("gigq.store.checking", "gigq.store.control", "gigq.store.metrics"))
    acting, backing_up = map(LazyModule, ("gigq.store.acting", "gigq.store.backing_up"))
    crew = LazyModule("gigq.store.crew")
    deleting, joining = map(LazyModule, ("gigq.store.deleting", "gigq.store.joining"))
    repairing, steps = map(LazyModule, ("gigq.store.repairing", "gigq.store.steps"))
    submitting, workers = map(LazyModule, ("gigq.store.submitting", "gigq.store.workers"))


class JobQueue:
    """A queue of jobs in one SQLite file.

    ========  ==========================================================================================
    submit    `submit` `submit_many` `enqueue` `transaction` `acting_as`
    look      `get_status` `get_result` `get_job` `steps` `full_id` `list_jobs` `find_jobs` `count` `stats`
              `metrics` `changes` `why` `next_jobs` `graph` `health` `info` `workflows` `wait` `result` `results`
    control   `cancel` `requeue_job` `cancel_jobs` `requeue_jobs` `reschedule` `pause` `resume` `configure`
              `queues` `workers` `scale` `stop_workers` `dead_letters`
    history   `history`, an object of its own: `History`
    schedule  `schedules`, an object of its own: `Schedules`
    consume   `dequeue` `complete` `fail` `execute_job`: manual consumption, without a `Worker`
    keep      `clear_completed` `prune` `delete_job` `delete_jobs` `requeue_stuck` `check` `examine`
              `repair` `backup` `close`
    ========  ==========================================================================================

    Safe to share between threads, and to keep across a fork. Every method is one transaction unless it says otherwise,
    and what it did is on disk when it returns; inside a `transaction` it is a part of that one. Use it as a context
    manager, or call `close`.

    Args:
        db_path: a path, a ``sqlite:///`` URL, or ``":memory:"``.
        initialize: create the file and its tables where they are missing. False only connects.
        timeout: how long to wait for another writer before `QueueBusy`, in seconds.
        durability: ``"full"`` survives power loss; ``"normal"`` does not wait for the disk, and may lose the last
            moments before a power loss (not before a crash of the process).
        read_only: only look: nothing is created, upgraded or written, and every method that would is refused with
            `StoreError`. It also opens a file that this process may not write, or that lies on a read-only file system.
        params_limit: the most bytes that a job's arguments may have as JSON.
        default: makes of an object in arguments or metadata that JSON lacks, such as a date, one that it has, as the
            function of that name does for `json.dumps`. It converts the results of `complete` and `execute_job`, too;
            those of a worker are converted by its own.
        clock: where time comes from; for tests.

    Raises:
        NotAQueue: the file is not a queue, or does not exist and `initialize` is False.
        StoreError: the file cannot be opened or created.

    Example:
        >>> from statistics import mean
        >>> from gigq import Job, JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     job_id = queue.submit(Job("average", mean, {"data": [1, 2, 6]}))
        ...     queue.stats()["pending"], queue.why(job_id)
        (1, ['There is no worker; `gigq worker` starts one.'])
    """

    def __init__(
        self,
        db_path: str | os.PathLike[str],
        initialize: bool = True,
        *,
        timeout: Duration = 30.0,
        durability: Durability = "full",
        read_only: bool = False,
        params_limit: int = PARAMS_LIMIT,
        default: Default | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.params_limit = checks.count(params_limit, "params_limit")
        # These are public for `gigq.testing.drain`, which runs jobs on the same connections, and for tests.
        self.default = checks.optional(default, "default", checks.function)
        self.clock = to_clock(clock)
        self.database = open_queue(
            db_path,
            initialize=initialize,
            timeout=to_seconds(timeout, "timeout"),
            durability=durability,
            clock=self.clock,
            read_only=read_only,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.database.path!r})"

    def _repr_html_(self) -> str:
        """Return how a notebook shows it: a bounded look, which says so where the file cannot be read."""
        return cards.shown(lambda: queue_card.queue_card(overview.overview(self.database)), repr(self))

    @property
    def db_path(self) -> str:
        """The path of the file, or ``":memory:"``."""
        return self.database.path

    # submit

    def submit(self, job: Job | Submittable | Callable[..., Any], *, connection: object = None) -> JobId:
        """Store a job, and return its id. Once it has returned, the job is not lost.

        Submitting the same id a second time stores nothing. Nor does a `unique_key` that an unfinished job has: the id
        of that job is returned. Either way the id's `is_new` is False.

        Args:
            job: a job; or a task or a function that needs no arguments.
            connection: a connection to this queue's file with a transaction open, of which the job becomes a part: it
                is stored when the caller commits, and no worker sees it before. A `sqlite3.Connection`, or what holds
                one, as for `transaction`.

        Raises:
            ValueError: the connection cannot be joined, with the reason.
            InvalidJob: the job cannot be stored, with the reason; nothing was stored. The subclasses say more:
                NotImportable, NotSerializable, UnknownParent.
            QueueBusy, StoreError: nothing was stored.

        Example:
            >>> from textwrap import shorten
            >>> from gigq import Job, JobQueue
            >>> from gigq.testing import drain
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.submit(Job("digest", shorten, {"text": "Hello wide world", "width": 11}))
            ...     drain(queue), queue.get_result(job_id)
            (1, 'Hello [...]')
        """
        return self.submit_many([preparing.job_of(job)], connection=connection)[0]

    def submit_many(
        self, jobs: Iterable[Job | Submittable | Callable[..., Any]], *, connection: object = None
    ) -> list[JobId]:
        """Store several jobs, parents before their children, and return their ids: all of them or none.

        It is one transaction, however many they are, or a part of the one that `connection` has open, as for `submit`.
        100,000 jobs hold the write lock for one to two seconds; submit more than that in several calls. Raises as
        `submit`.

        Example:
            >>> from calendar import isleap
            >>> from gigq import Job, JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     ids = queue.submit_many(Job(f"leap {year}", isleap, {"year": year}) for year in range(2026, 2030))
            ...     queue.count()
            4
        """
        wanted = preparing.jobs_of(jobs)
        new = [preparing.prepare(job, limit=self.params_limit, default=self.default) for job in wanted]
        if connection is not None:
            with joining.joining(self.database, connection):
                return self._store(new)
        if not new:
            self.database.must_be_writable()
            return []
        try:
            return self._store(new)
        except QueueBusy as error:
            raise joining.hinted(self.database, error) from error

    def enqueue(self, function: Callable[..., Any] | Submittable | str, /, *args: Any, **params: Any) -> JobId:
        """Submit a call of a function with these arguments, and return the job's id.

        A task keeps its options; a function has those of ``task(function, priority="high", …)``. Raises as `submit`.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue, task
            >>> with JobQueue(":memory:") as queue:
            ...     plain = queue.enqueue(isleap, 2028)
            ...     urgent = queue.enqueue(task(isleap, priority="high"), year=2028)
            ...     [job["priority"] for job in queue.list_jobs()]
            [100, 0]
        """
        return self.submit(preparing.called(function, args, params))

    def transaction(self, connection: object = None) -> AbstractContextManager[joining.Connection]:
        """Return a block in which what this queue does in this thread is one transaction with SQL of your own.

        ``with queue.transaction() as db:`` opens a connection to the file, takes the write lock, and commits at the end
        of the block, or rolls back if that raises. Workers wait for the lock meanwhile, so be short. `db` takes all SQL
        but what would end the transaction or attach another file; its ``commit()`` does nothing.

        ``with queue.transaction(connection) as db:`` takes part in the transaction that is open on your own connection
        to the same file, and commits nothing: that is yours to do. If the block raises, what was written inside it is
        rolled back, and what was written before stays.

        Every method of this object takes part, also those that read. One that is refused leaves the rest of the
        transaction as it is. An inner block on the same connection is a savepoint. For other threads, and for other
        tasks of asyncio, it is the transaction of somebody else. Another `JobQueue` on the same file is refused with
        RuntimeError when it writes in this thread, because it would wait for its own thread.

        Args:
            connection: a `sqlite3.Connection` with a transaction open, best begun with BEGIN IMMEDIATE; or what holds
                one, such as Django's ``connection`` or a ``Connection`` of SQLAlchemy.

        Raises:
            ValueError: the connection cannot be joined, with the reason: it has no transaction open, it is to another
                file, it has only attached this one, or a temporary table of its own hides one of the queue's.
            RuntimeError: this thread has a transaction open on the file already, or the block has ended this one.
            QueueBusy: another writer had the lock for longer than `timeout`, or the transaction has read what others
                have changed since, so that it can no longer write.
            NotAQueue, StoreError: nothing was written.

        Example:
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     with queue.transaction() as db:
            ...         table = db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
            ...         order = db.execute("INSERT INTO orders (item) VALUES ('tea')").lastrowid
            ...         job_id = queue.enqueue("send_invoice", order=order)
            ...     queue.get_job(job_id).params
            {'order': 1}
        """
        return joining.transaction(self.database, connection)

    def acting_as(self, actor: str, face: str = "program") -> AbstractContextManager[None]:
        """Return a block in which what this thread does to the queue is written down as done by a person.

        What was done, to what, by whom, when, and to how many jobs is a row of `history.actions`, written in the same
        transaction as what it describes. It holds for all methods that change something, but not for those of manual
        consumption. What changes nothing leaves no row, and the last 1,000 rows are kept. For other threads, other
        tasks of asyncio, and other objects of the same file nothing changes. In an inner block the inner one counts.

        Args:
            actor: who it is, in any form that tells people apart.
            face: by which program or page they do it.

        Raises:
            ValueError: the actor or the face is not text, or is empty.

        Example:
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     with queue.acting_as("ada", "admin page"):
            ...         paused = queue.pause("mail")
            ...     action = queue.history.actions()[0]
            ...     action.actor, action.face, action.verb, action.filter
            ('ada', 'admin page', 'pause', {'queue': 'mail'})
        """
        who, where = checks.text(actor, "actor"), checks.text(face, "face")
        return acting.acting(self.database, who, where)

    # look

    def get_status(self, job_id: JobRef) -> dict[str, Any]:
        """Return everything the file holds of a job, as plain values; ``{"exists": False}`` for an unknown id.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     status = queue.get_status(queue.enqueue(isleap, year=2028))
            ...     status["status"], status["attempts"], status["params"]
            ('pending', 0, {'year': 2028})
        """
        record = self.get_job(job_id)
        return record.as_dict() if record else {"exists": False}

    def get_result(self, job_id: JobRef) -> Any:
        """Return what a completed job returned, and None for one that has not completed. Does not wait.

        Raises:
            JobNotFound: no job has this id.
        """
        record = self.get_job(job_id)
        if record is None:
            raise JobNotFound(id_of(job_id))
        return record.result

    def get_job(self, job_id: JobRef) -> JobRecord | None:
        """Return a job as the file holds it now, or None for an unknown id."""
        wanted = id_of(job_id)
        with self.database.read() as tx:
            return reading.job(tx, wanted)

    def steps(self, job_id: JobRef, *, within: Duration | None = None) -> list[StepRecord]:
        """Return the steps of a job that are remembered, in the order in which they were completed.

        A step of an earlier run whose name the function no longer uses is there too.

        Args:
            job_id: a job.
            within: the most time that this may take, in seconds or as another duration: a job may have 100,000 steps.

        Raises:
            JobNotFound: no job has this id.
            ReadTooLong: the time was over.

        Example:
            >>> from gigq import JobQueue, current_job
            >>> from gigq.testing import drain
            >>> def total(prices: list[int]) -> int:
            ...     return current_job().step("add up", sum, prices)
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue("total", [3, 4])
            ...     executions = drain(queue, handlers={"total": total})
            ...     [(step.name, step.result) for step in queue.steps(job_id)]
            [('add up', 7)]
        """
        wanted = id_of(job_id)
        with Budget(within).read(self.database) as tx:
            if reading.job(tx, wanted) is None:
                raise JobNotFound(wanted)
            return steps.steps_of(tx, wanted)

    def full_id(self, handle: str, *, within: Duration | None = None) -> str:
        """Return the id of the one job that an incomplete id means: how it begins, or how it ends.

        People copy the last 8 characters, for ids begin with the time. An id that is complete means its own job, even
        if another one goes on from it. The end of an id is looked for in all ids: with a million jobs in the file that
        takes a tenth of a second.

        Args:
            handle: any number of characters with which the id begins, or at least 4 with which it ends.
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            JobNotFound: no job has such an id.
            AmbiguousId: several have. It lists the first 10 of them.
            ReadTooLong: the time was over.
            ValueError: the text is empty.

        Example:
            >>> from gigq import Job, JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.submit(Job("report", "reports:build"))
            ...     queue.full_id(job_id[-8:]) == job_id
            True
        """
        return looking.full_id(self.database, checks.text(handle, "handle"), Budget(within))

    def list_jobs(
        self,
        status: Statuses | None = None,
        limit: int | None = None,
        *,
        offset: int = 0,
        within: Duration | None = None,
        **filters: Unpack[FilterOptions],
    ) -> list[dict[str, Any]]:
        """Return the jobs that pass all filters, the newest first, each as a dict with the keys of `get_status`.

        Args:
            status, limit, offset, filters: as for `find_jobs`, which goes on where a list ends.
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            ReadTooLong: the time was over before all these jobs were found. `find_jobs` returns those that were.
            ValueError: an invalid value.

        Example:
            >>> from calendar import isleap
            >>> from gigq import Job, JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     ids = queue.submit_many(Job(name, isleap, {"year": 2028}, tags=["leap"]) for name in "abc")
            ...     [job["name"] for job in queue.list_jobs("pending", 2, tags="leap")]
            ['c', 'b']
        """
        budget, chosen = Budget(within), Filters.of(status=status, **filters)
        page = looking.find(self.database, chosen, budget, limit=limit, offset=offset, order="submitted")
        return [record.as_dict() for record in looking.whole(page, budget)]

    def find_jobs(
        self,
        status: Statuses | None = None,
        limit: int | None = None,
        *,
        after: str | None = None,
        offset: int = 0,
        order: Order | None = None,
        within: Duration | None = None,
        **filters: Unpack[FilterOptions],
    ) -> Page[JobRecord]:
        """Return the jobs that pass all filters, as a list that says how to go on: those that came last first.

        The executions of these jobs are without their logs, which `get_job` returns.

        Args:
            status: one or several; None for any.
            limit: the most jobs to return; None for all.
            after: the `cursor` of the page before, to go on where it ended, at whatever depth. Jobs that were submitted
                since, or have ended since, are not in the pages that follow.
            offset: how many jobs to skip first. All of these are read: go on by `after` instead where there are many.
            order: ``"submitted"``, or ``"ended"`` for only jobs that have ended. None: ended where the status, the
                phase or the time of the end that was asked for says that all have, otherwise submitted.
            within: the most time that this may take, in seconds or as another duration. When it is over, what was found
                until then is returned, and `is_cut` is True; the cursor leads on from there. None for no limit.
            filters: `queue`, `name`, `priority` and `worker_id` are equal to the job's. `function`: what it calls.
                `tags`: one or several, all of which the job has. `phase`: one or several. `workflow`: the id of the one
                that the job belongs to. `since`, `until`: submitted at or after, and before. `ended_since`,
                `ended_until`: likewise of the end. `error`: the class of the last error, or text in its message.
                `ids`: one or several, of which it is one. `args`: values of arguments, ``{"user.id": 42}``. `search`:
                text in the id, name, description, function, arguments or error, in any case.

        Raises:
            ValueError: an invalid value of a filter, the limit or the offset, or a cursor of another order.

        Example:
            >>> from calendar import isleap
            >>> from gigq import Job, JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.submit(Job("later", isleap, {"year": 2028}, delay=60))
            ...     [job.name for job in queue.find_jobs(phase="scheduled", args={"year": 2028})]
            ['later']
        """
        budget, chosen = Budget(within), Filters.of(status=status, **filters)
        return looking.find(self.database, chosen, budget, limit=limit, offset=offset, order=order, after=after)

    def count(
        self,
        status: Statuses | None = None,
        *,
        at_most: int | None = None,
        within: Duration | None = None,
        **filters: Unpack[FilterOptions],
    ) -> Count:
        """Return how many jobs pass all filters, which are those of `find_jobs`: a number that says if it is exact.

        Args:
            status, filters: as for `find_jobs`.
            at_most: count no further than this: "more than 10,000" is quick, and all that most people want to know.
            within: the most time that this may take, in seconds or as another duration. When it is over, what was
                counted until then is returned: there are at least so many.

        Raises:
            ValueError: an invalid value.
        """
        budget, chosen = Budget(within), Filters.of(status=status, **filters)
        return looking.count(self.database, chosen, budget, at_most=at_most)

    def stats(self, queue: str | None = None, *, within: Duration | None = None) -> dict[str, int]:
        """Return the number of jobs of each status, and of all jobs as ``total``; of one queue, or of the whole file.

        For one queue it reads the rows of all jobs. A million jobs take a tenth of a second either way.

        Args:
            queue: the name of a queue; None for the whole file.
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            ReadTooLong: the time was over.
        """
        name = checks.optional(queue, "queue", checks.text)
        with Budget(within).read(self.database) as tx:
            found = reading.statuses(tx) if name is None else reading.statuses_in(tx, name)
        return found | {"total": sum(found.values())}

    def metrics(self, *, within: Duration | None = None) -> dict[str, Any]:
        """Return the queue's measurements, all of one instant (``at``), as plain values that JSON can hold.

        ``statuses``, ``phases``: the number of jobs in each. ``queues``: for each that has unfinished jobs, limits or a
        pause, how many jobs are ready, scheduled and running, whether it is paused, and the age of its oldest ready
        job. ``priorities``: the number of ready jobs by priority. ``windows``: for the last ``1m``, ``5m`` and ``60m``
        how many executions ended in each status, how many of those were not a job's first attempt (``retried``), and
        percentiles of how long jobs were ``waiting`` from the submit to the first start (delays and parents included)
        and of how long functions were ``running``. ``claims``: how many executions were ever opened, the one number
        that only grows. ``workers``: how many there are, and how many slots the live ones have; manual consumption
        does not count.

        Durations are seconds, None where nothing was measured. Pruned and deleted jobs are no longer counted, nor
        is the middle of a long row of releases. The percentiles of more than 10,000 executions are those of an even
        sample. An execution that ended in another attempt is missed if it took longer than the window and 10,000 later
        ones. It reads the index of all jobs, and the executions of the last hour: with a million finished jobs in the
        file that takes some tenths of a second.

        Args:
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            ReadTooLong: the time was over.
        """
        here = process.this_process()
        with Budget(within).read(self.database) as tx:
            gone = liveness.certainly_dead(workers.heartbeats(tx), here=here, is_gone=process.is_gone)
            return metrics.metrics(tx, gone=gone)

    def changes(self) -> object:
        """Return what equals an earlier return value only if nothing was committed to the file in between.

        It takes some microseconds, and reads no table: ask before each look at what is shown again and again. Commits
        of this process count as well, those of this very thread too. Compare the values by ``==`` only, and in the
        process that got them. Safe to call from any thread.

        Raises:
            QueueGone: the file was deleted or replaced.

        Example:
            >>> from gigq import Job, JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     before = queue.changes()
            ...     unchanged = queue.changes() == before
            ...     job_id = queue.submit(Job("report", "reports:build"))
            ...     unchanged, queue.changes() == before
            (True, False)
        """
        return self.database.changes()

    def why(self, job_id: JobRef | None = None, *, within: Duration | None = None) -> list[str]:
        """Return every reason why a job is not running, or what became of it, as sentences for people.

        Without an id, why the jobs of the whole queue are not getting on: pauses, limits, functions that no worker
        finds, and workers that are dead, missing or stuck; or one sentence that says how busy the workers are. It looks
        at the head of each queue and takes a moment however many jobs there are.

        There is at least one sentence. The wording may change; programs should use `get_status` or `health`. A worker
        counts as dead if its process has ended on this machine, or if it has been silent for 15 seconds.

        Args:
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            JobNotFound: no job has this id.
            ReadTooLong: the time was over.

        Example:
            >>> from gigq import Job, JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     print(queue.why()[0])
            ...     job_id = queue.submit(Job("greet", "send_mail", queue="mail"))
            ...     pause = queue.pause("mail")
            ...     print(queue.why()[0].partition(":")[0])
            Nothing is waiting.
            1 ready job of queue 'mail' waits
        """
        return why.why(self.database, None if job_id is None else id_of(job_id), Budget(within))

    def next_jobs(self, n: int = 20, queue: str | None = None, *, within: Duration | None = None) -> NextJobs:
        """Return the jobs that run next in the order in which they start, and when they are predicted to start.

        The slots of the live workers are played forward: what runs now ends when its function usually does, and then
        the next job is claimed, by priority and age, as pauses, limits, and what each worker serves allow. A function
        takes the median of its last 50 completed executions, among the last 5,000 of the file. The jobs of which nobody
        can tell when they start come last, with the reason. Those that wait for other jobs are left out.

        Args:
            n: the most jobs to return.
            queue: only the jobs of this queue; those of others still take slots.
            within: the most time that this may take, in seconds or as another duration. When it is over, the rest of
                the jobs have no prediction.

        Raises:
            ValueError: an invalid number.
            ReadTooLong: the time was over before anything could be predicted.
        """
        name = checks.optional(queue, "queue", checks.text)
        return next_jobs.next_jobs(self.database, limit=checks.count(n, "n"), queue=name, budget=Budget(within))

    def graph(self, job_id: JobRef, limit: int = 200, *, within: Duration | None = None) -> JobGraph:
        """Return what a job depends on and what depends on it, near and far, where each of these jobs stands.

        A job that has submitted another one counts as one that it depends on.

        Args:
            limit: the most jobs to return one by one, the nearest ones. All are counted, level by level.
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            JobNotFound: no job has this id.
            ReadTooLong: the time was over.
        """
        wanted, most = id_of(job_id), checks.count(limit, "limit")
        with Budget(within).read(self.database) as tx:
            found = relatives.graph(tx, wanted, limit=most)
        if found is None:
            raise JobNotFound(wanted)
        return found

    def health(self, *, oldest_ready: Duration | None = 600.0, within: Duration | None = None) -> Health:
        """Return whether the queue is well, as a monitor asks every minute, and what is wrong in sentences.

        Not well is: ready jobs and no live worker that serves their queue, or finds their functions; a worker that can
        start no job, or that is dead and holds jobs that no live one takes from it; a schedule that is due and no live
        worker; a ready job that has waited for too long; a file that cannot be read, lacks a part, or contradicts
        itself at a glance (`check` reads all of it); a disk that is nearly full. Pauses and limits are no faults, so
        that jobs of a paused queue may wait. It looks at the head of each queue, and takes a moment however many jobs
        there are.

        Args:
            oldest_ready: how long a ready job may wait, in seconds or as another duration; None for any time.
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            ReadTooLong: the time was over.
            StoreError: this object is closed. A file that cannot be read is not well, and raises nothing.

        Example:
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     queue.health().is_ok, queue.health().sentences
            (True, ('Nothing is waiting.',))
        """
        limit = checks.optional(oldest_ready, "oldest_ready", to_seconds)
        return health.health(self.database, self.clock, oldest_ready=limit, budget=Budget(within))

    def info(self, *, within: Duration | None = None) -> QueueInfo:
        """Return what the file is: its sizes, versions and pages, how much it holds and since when.

        It counts the jobs by status as `stats` does, and needs as long.

        Args:
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            ReadTooLong: the time was over.
        """
        with Budget(within).read(self.database) as tx:
            return file_facts.file_facts(tx, self.database.path)

    def workflows(self, limit: int | None = None, *, within: Duration | None = None) -> list[WorkflowRecord]:
        """Return the workflows, the newest first, with the number of their jobs by status.

        Args:
            limit: the most workflows to return; None for all.
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            ReadTooLong: the time was over.
            ValueError: an invalid limit.
        """
        return workflows.records(self.database, checks.optional(limit, "limit", checks.count), Budget(within))

    @overload
    def wait(self, job_ids: JobRef, timeout: Duration | None = None) -> JobRecord: ...  # type: ignore[overload-overlap]
    @overload
    def wait(
        self, job_ids: Iterable[JobRef], timeout: Duration | None = None, *, any: bool = False
    ) -> list[JobRecord]: ...

    def wait(
        self, job_ids: JobRef | Iterable[JobRef], timeout: Duration | None = None, *, any: bool = False
    ) -> JobRecord | list[JobRecord]:
        """Return a job, or several, once they have all ended, whatever their status.

        It asks every 0.5 to 10 ms whether anything was committed, and only then looks at all of the jobs at once. It
        holds no transaction while it waits.

        Args:
            job_ids: an id, for one record; or several, for a list of records.
            timeout: seconds after which to give up; None waits forever.
            any: return as soon as one of several has ended, with those that have. To go on, wait for the others.

        Raises:
            JobNotFinished: the timeout has passed.
            JobNotFound: no job has this id.
            RuntimeError: this thread has a transaction open on the file, so that no job could end.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue
            >>> from gigq.testing import drain
            >>> with JobQueue(":memory:") as queue:
            ...     ids = [queue.enqueue(isleap, year) for year in (2027, 2028)]
            ...     executions = drain(queue)
            ...     [job.result for job in queue.wait(ids, timeout=10)]
            [False, True]
        """
        wanted = ids_of(job_ids, "job_ids")
        records = waiting.wait(self.database, self.clock, wanted, waiting.records, timeout=timeout, any=bool(any))
        return records[0] if is_one(job_ids) else records

    def result(self, job_id: JobRef, timeout: Duration | None = None) -> Any:
        """Wait for a job to end, and return its result.

        Raises:
            JobFailed: it ended as failed, timeout or cancelled.
            JobNotFinished, JobNotFound: as `wait`.

        Example:
            >>> from statistics import mean
            >>> from gigq import JobFailed, JobQueue, task
            >>> from gigq.testing import drain
            >>> with JobQueue(":memory:") as queue:
            ...     good, bad = queue.enqueue(mean, [1, 2, 6]), queue.enqueue(task(mean, max_attempts=1), [])
            ...     executions = drain(queue)
            ...     print(queue.result(good, timeout=10))
            ...     try:
            ...         queue.result(bad, timeout=10)
            ...     except JobFailed as failure:
            ...         print(failure.error_type)
            3
            StatisticsError
        """
        return waiting.result_of(self.wait(id_of(job_id), timeout))

    def results(self, job_ids: JobRef | Iterable[JobRef], timeout: Duration | None = None) -> list[Any]:
        """Wait for jobs to end, and return their results in the order of their ids.

        Raises:
            JobFailed: one or more ended as failed, timeout or cancelled. It is about the first of them, and says how
                many there are. It is raised when all have ended; `wait` returns every job, however it ended.
            JobNotFinished, JobNotFound, RuntimeError: as `wait`.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue
            >>> from gigq.testing import drain
            >>> with JobQueue(":memory:") as queue:
            ...     ids = [queue.enqueue(isleap, year) for year in (2027, 2028)]
            ...     executions = drain(queue)
            ...     queue.results(ids, timeout=10)
            [False, True]
        """
        wanted = ids_of(job_ids, "job_ids")
        return waiting.wait(self.database, self.clock, wanted, waiting.results, timeout=timeout)

    # control

    def cancel(self, job_id: JobRef, *, running: bool = False) -> bool:
        """Cancel a pending job, and the descendants that need it. Returns False, and does nothing, for any other job.

        Args:
            running: cancel the job also if it is running. Its status is ``cancelled`` at once; within moments its
                function is interrupted by `JobCancelled` in a thread, or its child process is stopped.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue(isleap, 2028)
            ...     queue.cancel(job_id), queue.cancel(job_id)
            (True, False)
        """
        wanted = id_of(job_id)
        with self.database.write() as tx:
            is_done = control.cancel(tx, wanted, running=bool(running))
            acting.note(tx, self.database, "cancel", is_done, acting.given(running=bool(running)), id=wanted)
        return is_done

    def requeue_job(
        self, job_id: JobRef, *, delay: Duration = 0, restart: bool = False, from_step: str | None = None
    ) -> bool:
        """Send a failed, timed-out or cancelled job back to pending, its attempts reset and its error cleared.

        Descendants that were cancelled because of it come back with it. What the job has remembered stays: its steps,
        its cursor and the jobs that it has submitted, so it goes on where it failed. The two options forget some of
        that, for good.

        Args:
            delay: seconds before it may run.
            restart: begin from scratch: forget all its steps and its cursor. The jobs that it submits will be new ones:
                of those that it has submitted before, pending ones are cancelled, and nothing waits for the others.
            from_step: forget the step of this name, those inside it, and all that were completed after the first of
                them; the cursor stays.

        Returns:
            False, with nothing done, for any other job, for one whose parent ended badly (requeue that parent), and for
            one whose `unique_key` an unfinished job has.

        Raises:
            ValueError: the job has no step of this name, or both options were given; nothing was done.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue(isleap, 2028)
            ...     cancelled = queue.cancel(job_id)
            ...     queue.requeue_job(job_id), queue.get_status(job_id)["status"]
            (True, 'pending')
        """
        wanted, seconds = id_of(job_id), to_seconds(delay, "delay")
        name = checks.optional(from_step, "from_step", checks.text)
        checks.not_both(restart=restart or None, from_step=from_step)
        options = acting.given(delay=seconds, restart=bool(restart), from_step=name)
        with self.database.write() as tx:
            is_done = control.requeue(tx, wanted, delay=seconds, restart=bool(restart), from_step=name)
            acting.note(tx, self.database, "requeue_job", is_done, options, id=wanted)
        return is_done

    def cancel_jobs(
        self,
        status: Statuses | None = None,
        *,
        running: bool = False,
        bound: int | None = None,
        on_chunk: OnChunk | None = None,
        **filters: Unpack[FilterOptions],
    ) -> Affected:
        """Cancel the jobs that pass all filters now, each as `cancel` does, and return how many.

        Descendants that are cancelled with them are not counted; if they pass the filters themselves they are
        `Affected.along`. One transaction for each 500 jobs: if a later one fails or is interrupted, what earlier ones
        did stays done. Inside `transaction` it is a part of that one.

        Args:
            status: pending, and with `running` also running; by default all of these.
            running: cancel running jobs too.
            bound: only jobs up to this one, such as the `bound` of a `Page` that somebody has seen; by default the
                newest one when the call begins.
            on_chunk: is called after each transaction with what has been done so far. What it raises ends the call.
            filters: as for `find_jobs`. Without a filter, give a status, so that nobody cancels everything by mistake.

        Raises:
            ValueError: no filter, a status that cannot be cancelled, or an invalid value.
        """
        how_far, chosen = bounds.Bounds.of(bound, on_chunk), Filters.of(status=status, **filters)
        return bulk.cancel_jobs(self.database, chosen, how_far, running=bool(running))

    def requeue_jobs(
        self,
        status: Statuses | None = None,
        *,
        delay: Duration = 0,
        failure: FailureGroup | str | None = None,
        bound: int | None = None,
        on_chunk: OnChunk | None = None,
        **filters: Unpack[FilterOptions],
    ) -> Affected:
        """Requeue the jobs that pass all filters now, each as `requeue_job` does, and return how many.

        What they have remembered stays. Parents come before their children. Descendants that come back with them are
        not counted; if they pass the filters themselves they are `Affected.along`. One transaction for each 500 jobs,
        as for `cancel_jobs`.

        Args:
            status: failed, timeout or cancelled; by default all of these.
            delay: seconds before they may run.
            failure: only dead jobs whose last failure is in this group of `history.failures`; the group, or its key.
            bound, on_chunk: as for `cancel_jobs`.
            filters: as for `find_jobs`. Without a filter, give a status, so that nobody brings back by mistake what was
                cancelled on purpose.

        Raises:
            ValueError: no filter, a status that cannot be requeued, or an invalid value.
        """
        how_far, chosen = bounds.Bounds.of(bound, on_chunk), Filters.of(status=status, **filters)
        return bulk.requeue_jobs(self.database, chosen, how_far, delay=delay, failure=failure)

    def reschedule(
        self,
        job_id: JobRef,
        *,
        run_at: Instant | None = None,
        delay: Duration | None = None,
        priority: int | str | None = None,
        queue: str | None = None,
    ) -> bool:
        """Change the start, the priority or the queue of a pending job. Returns False, and does nothing, for any other.

        A job that waits for a retry or for its parents may be moved too; it goes on waiting for its parents.

        Args:
            run_at: do not start it before this instant; one that has passed means now.
            delay: or how many seconds from now it may start at the earliest; 0 means now.
            priority: as for `Job`.
            queue: as for `Job`.

        Raises:
            ValueError: nothing to change, or an invalid value.
        """
        wanted = id_of(job_id)
        if all(change is None for change in (run_at, delay, priority, queue)):
            raise ValueError("nothing to change; give run_at, delay, priority or queue")
        checks.not_both(run_at=run_at, delay=delay)
        instant = checks.optional(run_at, "run_at", to_instant)
        seconds = checks.optional(delay, "delay", to_seconds)
        level = checks.optional(priority, "priority", to_priority)
        name = checks.optional(queue, "queue", checks.text)
        with self.database.write() as tx:
            start = instant if seconds is None else later(tx.now, seconds)
            is_done = control.reschedule(tx, wanted, run_at=start, priority=level, queue=name)
            options = {"run_at": start and to_text(start), "priority": level, "queue": name}
            acting.note(tx, self.database, "reschedule", is_done, acting.given(**options), id=wanted)
        return is_done

    def pause(self, queue: str | None = None) -> list[QueueRecord]:
        """Stop workers from claiming jobs from one queue, or from all, and return those queues as they are now.

        It holds from their next claim on, for queues without jobs too, until `resume`. A worker may still run what it
        has claimed already.

        Raises:
            ValueError: not the name of a queue.
        """
        return queues.set_paused(self.database, queue, is_paused=True)

    def resume(self, queue: str | None = None) -> list[QueueRecord]:
        """End the pause that `pause` with the same argument began, and return those queues as they are now.

        A queue that was paused by its name stays paused after ``resume()``; and after ``resume(name)``, while all are.

        Raises:
            ValueError: not the name of a queue.

        Example:
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     paused = queue.pause("mail"), queue.pause()
            ...     [each.name for each in queue.resume() if each.is_paused]
            ['mail']
        """
        return queues.set_paused(self.database, queue, is_paused=False)

    def configure(
        self,
        queue: str,
        *,
        max_running: int | Unchanged | None = ...,
        rate_limit: int | Unchanged | None = ...,
        rate_period: Duration | Unchanged = ...,
    ) -> QueueRecord:
        """Change the limits of a queue that are given, and return the queue as it is now. One write transaction.

        What is not given stays, and None takes a limit away. The limits hold for all workers together, from their next
        claim on.

        Args:
            queue: the name of a queue, whether it holds jobs or not.
            max_running: how many of its jobs may run at a time.
            rate_limit: how many of its jobs may start within any `rate_period`.
            rate_period: the length of that period, in seconds; 1 if it was never given.

        Raises:
            ValueError: an invalid value, or a `rate_period` where there is no `rate_limit`.

        Example:
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     mail = queue.configure("mail", max_running=2, rate_limit=100, rate_period="1m")
            ...     mail = queue.configure("mail", max_running=None)
            ...     mail.max_running, mail.rate_limit, mail.rate_period
            (None, 100, 60.0)
        """
        return queues.configure(
            self.database, queue, max_running=max_running, rate_limit=rate_limit, rate_period=rate_period
        )

    def queues(self, *, within: Duration | None = None) -> list[QueueRecord]:
        """Return the queues that have unfinished jobs, limits or a pause, in alphabetical order.

        Args:
            within: the most time that this may take, in seconds or as another duration. It counts the ready jobs.

        Raises:
            ReadTooLong: the time was over.
        """
        return queues.records(self.database, budget=Budget(within))

    def workers(self, *, within: Duration | None = None) -> list[WorkerRecord]:
        """Return the workers that are entered in the file, the oldest first. A dead one stays until it is noticed.

        Args:
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            ReadTooLong: the time was over.
        """
        here = process.this_process()
        with Budget(within).read(self.database) as tx:
            gone = liveness.certainly_dead(workers.heartbeats(tx), here=here, is_gone=process.is_gone)
            return crew.records(tx, gone=gone)

    def scale(self, concurrency: int, worker_id: str | None = None) -> int:
        """Ask one worker, or all, to change its concurrency, and return how many were asked. They obey within a second.

        Args:
            concurrency: how many jobs the worker may run at a time.
            worker_id: the name of a worker; None for all.

        Raises:
            ValueError: the concurrency is not a whole number from 1 to 10,000.
        """
        slots = checks.slots(concurrency, "concurrency")
        name = checks.optional(worker_id, "worker_id", checks.text)
        with self.database.write() as tx:
            asked = workers.scale(tx, slots, worker_id=name)
            acting.note(tx, self.database, "scale", asked, {"concurrency": slots}, worker_id=name)
        return asked

    def stop_workers(self, worker_id: str | None = None, *, graceful: bool = True) -> int:
        """Ask one worker, or all, to stop, and return how many were asked. They obey within a second.

        Args:
            worker_id: the name of a worker; None for all.
            graceful: give running jobs the worker's `shutdown_timeout` to end; otherwise they are given back at once.
        """
        name = checks.optional(worker_id, "worker_id", checks.text)
        with self.database.write() as tx:
            asked = workers.stop(tx, is_graceful=graceful, worker_id=name)
            acting.note(tx, self.database, "stop_workers", asked, {"graceful": bool(graceful)}, worker_id=name)
        return asked

    def dead_letters(
        self, limit: int | None = 100, *, within: Duration | None = None, **filters: Unpack[FilterOptions]
    ) -> list[dict[str, Any]]:
        """Return the jobs that used up their attempts (failed and timeout) as dicts, those that ended last first.

        Args:
            limit: the most jobs to return; None for all.
            within, filters: as for `list_jobs`.

        Raises:
            ReadTooLong: the time was over before all these jobs were found.
            ValueError: an invalid value of a filter or the limit.
        """
        budget, chosen = Budget(within), Filters.of(status=DEAD, **filters)
        page = looking.find(self.database, chosen, budget, limit=limit, order="ended")
        return [record.as_dict() for record in looking.whole(page, budget)]

    # history

    @property
    def history(self) -> History:
        """What was: executions, throughput, what functions cost, why jobs failed, and what people did."""
        return history.History(self.database, self.clock)

    # schedules

    @property
    def schedules(self) -> Schedules:
        """The rules that submit jobs at certain times."""
        return schedules.Schedules(
            self.database, self.clock, params_limit=self.params_limit, default=self.default
        )

    # consume manually

    def dequeue(self, worker_id: str | None = None, *, queues: Texts | None = None) -> JobClaim | None:
        """Claim the next job, counting the attempt, or return None if no job is ready. One write transaction.

        Settle it with `complete`, `fail` or `execute_job`. It is yours until then, until this queue is closed, until
        its timeout has passed (300 seconds unless the job says otherwise), or until this process has ended. At the
        timeout the next `dequeue`, or any worker within a second, settles it as timeout; that is measured by the wall
        clock, the only one that processes share, so setting the clock back gives more time and setting it forward
        less. That a process has ended is seen from the same machine and container.

        Args:
            worker_id: a name for people; by default the host, the process and a few letters.
            queues: the name of one queue, or several; None for all.

        Raises:
            QueueBusy, StoreError: nothing was claimed.

        Example:
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue("send_mail", to="ada@example.org")
            ...     while claim := queue.dequeue():
            ...         queue.complete(claim, f"sent to {claim.params['to']}")
            ...     queue.get_result(job_id)
            'sent to ada@example.org'
        """
        name = checks.optional(worker_id, "worker_id", checks.text)
        names = checks.optional(queues, "queues", checks.some_texts)
        return self._manual.dequeue(name, queues=names)

    def complete(self, job: JobRef, result: Any = None, *, connection: object = None) -> None:
        """Settle a manually claimed job as completed. One write transaction, or a part of yours.

        Args:
            job: what `dequeue` returned, or a job's id. The claim is safer: an id means the execution that is open now,
                so a late call may end that of another program. Only what was taken away from this very queue object is
                refused nevertheless.
            result: a value that JSON can hold, of at most 10 MB.
            connection: as for `submit`. What you write in that transaction and the end of the job are one: both are
                committed, or neither is.

        Raises:
            LeaseLost: the execution has ended, was taken away, or is not in manual consumption. Nothing has changed.
            JobNotFound: no job has this id.
            ValueError: the connection cannot be joined, with the reason.
            NotSerializable: JSON cannot hold the result. The job is still yours.
            QueueBusy, StoreError: nothing was written; call it again.
        """
        text = encode(result, name="result", limit=RESULT_LIMIT, default=self.default)
        with joining.joined(self.database, connection):
            self._manual.settle(job, self._manual.claim_of(job), reports.Report.completed(text))

    def fail(
        self, job: JobRef, error: str | Mapping[str, str] | BaseException, *, retry: bool = True
    ) -> None:
        """Settle a manually claimed job as failed: it is tried again if it has attempts left. One write transaction.

        Args:
            job: as for `complete`.
            error: text; a dict with a ``message`` and optionally a ``type`` and a ``traceback``, all of them text; or
                an exception, which is treated as if the function had raised it: `retry_on`, `no_retry_on`, `GiveUp`
                and `RetryLater` apply.
            retry: False fails the job for good.

        Raises:
            ValueError: the error is none of these.
            LeaseLost, JobNotFound, QueueBusy, StoreError: as `complete`.
        """
        claim = self._manual.claim_of(job)
        self._manual.settle(job, claim, manual.failure(error, claim, retry=retry))

    def execute_job(self, job: JobClaim, *, handlers: Mapping[str, Function] | None = None) -> ExecutionStatus:
        """Call the function of a manually claimed job here and now, settle the job, and return how the execution ended.

        What the function raises is kept with the job, which is tried again if it has attempts left; it is not raised
        here. The timeout begins with the call. In the main thread the function is stopped at its deadline even while
        it sleeps, and SIGINT and SIGTERM give the job back and then do what they do otherwise; in another thread it is
        stopped at its next step of Python. `Worker.process_one` does the same.

        Two write transactions. If the job was taken away before the call, the function is not called; if during the
        call, its result is dropped. Either way the status is the one that the other process gave it.

        Args:
            job: what `dequeue` returned.
            handlers: functions by the names that jobs call them by. What is not among them is imported.

        Raises:
            LeaseLost: the job was deleted.
            QueueBusy, StoreError: the file could not be read or written. If the function was called, its result is not
                kept; the job is still yours.
        """
        return self._manual.execute(job, handlers)

    # keep

    def clear_completed(self, before_timestamp: Instant | None = None) -> Affected:
        """Delete completed and cancelled jobs as `prune` does, and return how many.

        Args:
            before_timestamp: only those that ended earlier. Without a zone it is local time.

        Raises:
            ValueError: not an instant.
        """
        before = checks.optional(before_timestamp, "before_timestamp", to_instant)
        return pruning.prune_all(self.database, pruning.Pruning(before=before), "clear_completed", bounds.Bounds())

    def prune(
        self,
        status: Statuses = PRUNED_BY_DEFAULT,
        *,
        older_than: Duration | Instant | None = None,
        keep: int | None = None,
        bound: int | None = None,
        on_chunk: OnChunk | None = None,
        **filters: Unpack[FilterOptions],
    ) -> Affected:
        """Delete finished jobs with their executions, the oldest first, and return how many.

        A job stays as long as a child of it, or the job that has submitted it, has not completed: that may still run.
        One transaction for each 200 jobs: if a later one fails, what earlier ones deleted stays deleted. Then most of
        the file's free space is given back, in steps of a few milliseconds.

        Args:
            status: one or several of completed, cancelled, failed and timeout.
            older_than: how long ago a job must have ended, or the instant before which; None for any time.
            keep: how many of the newest jobs to keep, all these statuses counted together, of those that pass the
                filters. If `older_than` is given too, both must allow the deletion.
            bound, on_chunk: as for `cancel_jobs`.
            filters: as for `find_jobs`.

        Raises:
            ValueError: a status that is not one of a finished job, or an invalid value.
        """
        wanted = pruning.Pruning.of(status, older_than=older_than, keep=keep, now=self.clock.now(), **filters)
        return pruning.prune_all(self.database, wanted, "prune", bounds.Bounds.of(bound, on_chunk))

    def delete_job(self, job_id: JobRef) -> bool:
        """Delete a job with its executions, whether it has ended or is still pending.

        Returns:
            False, with nothing done, for a job that is running, that an unfinished job depends on, or that one has
            submitted, which might submit it again; and for none.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue(isleap, 2028)
            ...     queue.delete_job(job_id), queue.count()
            (True, 0)
        """
        wanted = id_of(job_id)
        with self.database.write() as tx:
            is_done = deleting.delete(tx, wanted)
            acting.note(tx, self.database, "delete_job", is_done, id=wanted)
        return is_done

    def delete_jobs(
        self,
        status: Statuses | None = None,
        *,
        failure: FailureGroup | str | None = None,
        bound: int | None = None,
        on_chunk: OnChunk | None = None,
        **filters: Unpack[FilterOptions],
    ) -> Affected:
        """Delete the jobs that pass all filters now, each as `delete_job` does, and return how many.

        Jobs that are running, that an unfinished job depends on, or that one has submitted, stay. Those that need
        others go first, so that these can follow. One transaction for each 500 jobs, as for `cancel_jobs`.

        Args:
            status: any but running; by default all of these.
            failure: as for `requeue_jobs`.
            bound, on_chunk: as for `cancel_jobs`.
            filters: as for `find_jobs`. Without a filter, give a status, so that nobody deletes everything by mistake.

        Raises:
            ValueError: no filter, the status of running jobs, or an invalid value.
        """
        how_far, chosen = bounds.Bounds.of(bound, on_chunk), Filters.of(status=status, **filters)
        return bulk.delete_jobs(self.database, chosen, how_far, failure=failure)

    def requeue_stuck(self, older_than: Duration | Instant | None = None) -> int:
        """Settle as lost what dead workers hold, and return how many jobs that were.

        A worker is dead if its process has ended for certain. Manually claimed jobs that are overdue are settled too,
        as timeout.

        Args:
            older_than: also settle as lost the executions that have been running for longer than this, or since before
                this instant, even if their worker is alive. The functions may still be running, so that is a person's
                decision.

        Raises:
            ValueError: neither a duration nor an instant.
        """
        return bulk.requeue_stuck(self.database, older_than=older_than)

    def check(self, *, within: Duration | None = None) -> list[str]:
        """Read all of the file, and return a sentence for each kind of thing that is wrong with it.

        A sentence says how many rows are affected, and names the first three.

        Args:
            within: the most time that this may take, in seconds or as another duration.

        Raises:
            ReadTooLong: the time was over.
        """
        with Budget(within).read(self.database) as tx:
            return checking.check(tx)

    def examine(self) -> list[Finding]:
        """Return everything about the queue and its file that should worry somebody, problems first.

        Besides what `check` finds, that is the file's mode, file system, disk and log, the SQLite library, lost and
        stuck workers, functions that workers do not find, and clocks that are wrong. `health` is a quicker look at
        whether jobs are getting on.

        Raises:
            StoreError: the file cannot be read at all.

        Example:
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     queue.examine()
            []
        """
        return examining.examine(self.database)

    def repair(self) -> list[str]:
        """Mend what others have done to the file by hand, and return a sentence for each thing that was done.

        What belongs to deleted jobs is deleted. A running job whose execution or worker is gone is settled as lost, so
        that it is tried again if it has attempts left. A job no longer waits for a parent that is gone. A sound file is
        not written. Otherwise it is one write transaction, in which no worker gets a job; running jobs go on.

        `check` says what cannot be mended, such as a damaged page: restore a backup then.

        Example:
            >>> from calendar import isleap
            >>> from gigq import JobQueue
            >>> with JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue(isleap, 2028)
            ...     with queue.database.write() as tx:
            ...         changed = tx.execute("UPDATE jobs SET blockers = 1")
            ...     print(queue.check() != [], queue.repair(), queue.check())
            True ['Corrected for how many parents 1 job must wait'] []
        """
        self.database.must_be_writable()
        if not self.check():
            return []
        with self.database.write() as tx:
            mended = repairing.repair(tx)
            acting.note(tx, self.database, "repair", len(mended))
        return mended

    def backup(
        self,
        destination: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        on_progress: Callable[[int, int], object] | None = None,
    ) -> BackupRecord:
        """Copy the queue to another file while workers and programs use it, and return what the copy is.

        The copy is of one moment. Nobody waits for it, but the queue's log grows by what is written meanwhile. It is
        made under another name next to the destination, so that there is a whole copy in the end or none, and only
        its owner may read it. SQLite has read all of it by then. It is a queue like any other: jobs that were running
        are settled as lost by the first worker that opens it, and tried again.

        Works for ``":memory:"`` and for a queue that was opened read-only, too.

        Args:
            destination: the path of the copy.
            overwrite: whether to replace a file that is there, unless it is open in another program.
            on_progress: called after every few megabytes with how many bytes are copied, and how many there are. What
                it raises ends the backup, and leaves nothing behind.

        Raises:
            DestinationExists: there is a file, and `overwrite` is False.
            ValueError: the destination is the queue itself, or no path.
            RuntimeError: this thread has a transaction open on the queue.
            StoreError: the copy cannot be written, or the queue cannot be read.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> from gigq import JobQueue
            >>> with TemporaryDirectory() as folder, JobQueue(":memory:") as queue:
            ...     job_id = queue.enqueue("print")
            ...     copy = queue.backup(f"{folder}/copy.db")
            ...     with JobQueue(copy.path, read_only=True) as restored:
            ...         print(copy.jobs, copy.problems, restored.stats()["pending"])
            1 () 1
        """
        said = checks.optional(on_progress, "on_progress", checks.function) or (lambda done, total: None)
        is_wanted = checks.one_of(overwrite, "overwrite", choices=(True, False))
        return backing_up.backup(
            self.database, destination, clock=self.clock, overwrite=is_wanted, on_progress=said
        )

    def close(self) -> None:
        """Give back what this process has claimed manually, the attempts not counted, and close all connections.

        The queue cannot be used afterwards.

        Raises:
            StoreError: what was claimed could not be given back; that happens once the process has ended.
        """
        try:
            if "_consumption" in vars(self):
                self._manual.close()
        finally:
            self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _store(self, new: Sequence[NewJob]) -> list[JobId]:
        with self.database.write() as tx:
            ids = submitting.submit(tx, new)
            acting.note_submit(tx, self.database, new, ids)
        return ids

    @property
    def _manual(self) -> ManualConsumption:
        """What this object has claimed without a worker; made when it is first needed, once for all threads."""
        if "_consumption" not in vars(self):
            self.database.must_be_writable()
            made = manual.ManualConsumption(self.database, self.clock, default=self.default)
            vars(self).setdefault("_consumption", made)
        found: ManualConsumption = vars(self)["_consumption"]
        return found
