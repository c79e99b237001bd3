"""The real queue, with the methods of the model."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import Any

from model.flows import NOBODYS
from model.kin import HAND, Submitted
from store.verbs import SOMEWHERE

from gigq import (
    CyclicWorkflow,
    Job,
    JobClaim,
    JobNotFound,
    JobQueue,
    LeaseLost,
    ManualClock,
    RetryLater,
    UnknownParent,
    Workflow,
    WorkflowNotFound,
)  # fmt: skip
from gigq.clock import from_text
from gigq.job_ids import JobId, NewId
from gigq.liveness import WorkerKey
from gigq.queue.durable import opener
from gigq.queue_records import ScheduleRecord
from gigq.reports import Progress, Report
from gigq.runtime.durable import JobStore, Terms
from gigq.status import ExecutionStatus
from gigq.steps import Place, Step
from gigq.store import claiming, missing, schedules, settling, workers
from gigq.store.claiming import Room
from gigq.store.progress import write_cursors, write_progress
from gigq.store.ready import Lacking

BY_HAND = ("completed", "failed", "released")
"""The ways in which a program without a worker can end a job."""

_JUMP = 3600


class System:
    """A queue under a clock that the walk moves.

    The store's verbs drive it where a worker would be, and the public methods where a person or a hand would. In a
    file, an application submits, and completes by hand, in transactions of its own connection.

    Args:
        path: the file; None for a queue in memory.
    """

    def __init__(self, path: str | None = None) -> None:
        self.clock = ManualClock()
        self.queue = JobQueue(path or ":memory:", clock=self.clock, durability="normal")
        self._application = path and sqlite3.connect(path, isolation_level=None)
        with self.queue.transaction() as db:
            db.execute("CREATE TABLE entries (job TEXT, entry TEXT)")
        self._start = self.clock.now()
        self._open = opener(self.queue.database)
        self._workers: dict[str, WorkerKey] = {}
        self._taken: dict[int, JobClaim] = {}
        self._executions: list[dict[str, Any]] = []
        self._newest = 0
        self._known: dict[str, float] = {}
        self._names: dict[str, str] = {}  # of jobs whose ids were derived
        self._ids: dict[str, str] = {}
        self._made: set[tuple[JobStore, str]] = set()  # steps of an execution, which makes each once
        self._stores: dict[int, JobStore] = {}  # of the executions that workers have claimed

    def close(self) -> None:
        for store in self._stores.values():
            store.close()
        if self._application:
            self._application.close()
        self.queue.close()

    @property
    def now(self) -> int:
        """Seconds since the walk began."""
        return round((self.clock.now() - self._start).total_seconds())

    def submit(self, name: str, **options: Any) -> Submitted | None:
        try:
            with self._joining() as joined:
                return self._told(self.queue.submit(self._job(name, **options), **joined))
        except UnknownParent:
            return None

    def submit_many(self, jobs: list[tuple[str, dict[str, Any]]]) -> list[Submitted]:
        ids = self.queue.submit_many(self._job(name, **options) for name, options in jobs)
        return [self._told(job_id) for job_id in ids]

    def find_job(self, by: str, name: str, *, what: int, is_detached: bool, **options: Any) -> Submitted | None:
        """A running job submits another."""
        job = self._job(name, **options)
        job = replace(job, id=NewId(f"{name} anew"), params={"what": what})
        for store in self._held(by):
            try:
                (found,) = store.submit_many([job], default=None, place=Place("", 0), is_detached=is_detached)
            except (UnknownParent, CyclicWorkflow):
                return None
            if found.is_new:
                self._ids[self._names.setdefault(found, name)] = found
            return self._told(found)
        return None

    def remember(self, name: str, step: str, *, writes: bool = False) -> bool | None:
        for store in self._held(name):
            if (store, step) in self._made:
                return False
            self._made.add((store, step))
            if store.recall(step, 1):
                return False
            if writes:
                store.transact(lambda db: _enter(db, name, step), _TERMS)
            else:
                store.remember(_step(step))
            return True
        return None

    def complete_itself(self, name: str, value: int) -> bool:
        for store in self._held(name):
            with store.last_act(_TERMS) as db:
                _enter(db, name, str(value))
            store.settle(Report.completed(str(value)))
            return True
        return False

    def submit_workflow(
        self, name: str, jobs: list[tuple[str, Any]], *, last: dict[str, Any] | None
    ) -> list[Submitted] | None:
        workflow = Workflow(name, id=name)
        for each, options in jobs:
            workflow.add_job(self._job(each, **options))
        if last is not None:
            workflow.at_end(self._job(f"{name}end", **last, **NOBODYS))
        try:
            return [self._told(job_id) for job_id in workflow.submit_all(self.queue)]
        except UnknownParent:
            return None

    def cancel_workflow(self, name: str) -> int | None:
        try:
            return Workflow(name, id=name).cancel(self.queue)
        except WorkflowNotFound:
            return None

    def requeue_workflow(self, name: str) -> int | None:
        try:
            return Workflow(name, id=name).requeue_failed(self.queue)
        except WorkflowNotFound:
            return None

    def set_cursor(self, name: str, value: int) -> None:
        """Also of executions that have ended: it must not be written."""
        with self.queue.database.write() as tx:
            write_cursors(tx, {row["id"]: str(value) for row in self._executions if row["job"] == name})

    def together(self, steps: list[Any], *, commit: bool) -> list[Any]:
        """In one transaction, which is committed or rolled back."""
        found: list[Any] = []
        with suppress(_Undone), self._joining() as joined, self.queue.transaction(*joined.values()):
            for method, arguments, options in steps:
                found.append(getattr(self, method)(*arguments, **options))
            if not commit:
                raise _Undone
        return found

    def claim(self, worker: str, *, queues: list[str] | None, **room: Any) -> list[str]:
        if worker == HAND:
            claim = self.queue.dequeue(HAND, queues=queues)
            return [] if claim is None else [self._keep(claim)]
        here = {key: [_function(name) for name in room.pop(key)] for key in ("returned", "absent", "probed")}
        with self.queue.database.write() as tx:
            claims = claiming.claim(
                tx,
                self._worker(tx, worker),
                room=Room(returned=here["returned"], **room),
                queues=queues,
                lacking=Lacking(here["absent"], here["probed"]),
            )
        assert [claim.is_ahead for claim in claims] == [number >= room["free"] for number in range(len(claims))]
        self._note(*(claim.execution_id for claim in claims))
        self._stores |= {claim.execution_id: self._open(claim) for claim in claims}
        return [self._name(claim.job_id) for claim in claims]

    def begin(self, name: str) -> None:
        """Also executions that were claimed ahead and have ended since: these must not begin."""
        ahead = [row["id"] for row in self._executions if (row["job"], row["started_at"]) == (name, None)]
        with self.queue.database.write() as tx:
            claiming.begin(tx, ahead)

    def settle(self, name: str, *, end: str, worker: str | None = None, **how: Any) -> bool:
        """End the open execution of a job: as its worker, or as a program that knows only the job's name."""
        held = self._of(name, is_open=True)
        if not held and worker is None:
            return False
        try:
            if worker is None:
                self._settle(held[0], end, **how)
            else:
                self._say(name, end, **how)
        except (JobNotFound, LeaseLost):
            return False
        return True

    def miss(self, name: str) -> bool:
        """Its worker does not find the function."""
        held = self._of(name, is_open=True)
        report = Report.not_found("no such module", error_type="ModuleNotFoundError")
        with self.queue.database.write() as tx:
            settling.settle_all(tx, [(each, report) for each in held])
        return bool(held)

    def find(self, function: str) -> None:
        with self.queue.database.write() as tx:
            missing.note_found(tx, [_function(function)])

    def report_late(self, name: str) -> None:
        """Report on each execution of a job that has ended: it must be refused, or change nothing."""
        if late := self._of(name, is_open=False):
            report = Report(status=ExecutionStatus.COMPLETED, result="1")
            with self.queue.database.write() as tx:
                moves = settling.settle_all(tx, [(each, report) for each in late])
                claiming.begin(tx, late)
                write_progress(tx, dict.fromkeys(late, Progress(1.0)))
            assert moves == [None] * len(late)
            for store in [self._stores[each] for each in late if each in self._stores]:
                with _refused():
                    store.remember(_step("late"))
                with _refused():
                    store.transact(lambda db: _enter(db, name, "late"), _TERMS)
                with _refused(), store.last_act(_TERMS) as db:
                    _enter(db, name, "late")
                with _refused():
                    store.submit(Job("late", "functions:nothing"), default=None, place=Place("", 0), is_detached=False)

    def leave(self, worker: str, *, is_dead: bool) -> int:
        with self.queue.database.write() as tx:
            key = self._worker(tx, worker)
            held = workers.standing(tx, key).own
            if is_dead:
                assert workers.expel(tx, key) == len(held)
            else:
                workers.leave(tx, key, reason="told to stop")
        del self._workers[worker]
        return len(held)

    def expel_all(self) -> None:
        """Consider every worker dead."""
        with self.queue.database.write() as tx:
            for heartbeat in workers.heartbeats(tx):
                workers.expel(tx, heartbeat.key)
        self._workers.clear()

    def reclaim(self, *, older_than: float) -> int:
        return self.queue.requeue_stuck(older_than=_or_none(older_than))

    def cancel(self, name: str, *, running: bool) -> bool:
        return self.queue.cancel(self._id(name), running=running)

    def requeue(self, name: str, **how: Any) -> bool | None:
        try:
            return self.queue.requeue_job(self._id(name), **how)
        except ValueError:  # it has no such step
            return None

    def reschedule(self, name: str, **changes: Any) -> bool:
        return self.queue.reschedule(self._id(name), **changes)

    def prune(self, statuses: list[str], *, older_than: float, keep: int) -> int:
        return self.queue.prune(statuses, older_than=_or_none(older_than), keep=keep or None)

    def delete(self, name: str) -> bool:
        return self.queue.delete_job(self._id(name))

    def repair(self) -> None:
        """A sound file has nothing to mend."""
        assert self.queue.repair() == []

    def say(self, queue: str, *, is_paused: bool | None = None, **limits: Any) -> None:
        if is_paused is not None:
            (self.queue.pause if is_paused else self.queue.resume)(queue or None)
        else:
            self.queue.configure(queue, **{name: _or_none(limit) for name, limit in limits.items()})

    def schedule(self, name: str, *, job: dict[str, Any], **rule: Any) -> None:
        self.queue.schedules.add(name, **rule, **_options(job))

    def pause(self, name: str, *, is_paused: bool) -> bool:
        return (self.queue.schedules.pause if is_paused else self.queue.schedules.resume)(name)

    def tick(self, names: list[str]) -> None:
        with self.queue.database.write() as tx:
            assert schedules.tick(tx, new_id=iter(names).__next__) == []

    def let_pass(self, seconds: int) -> None:
        if 0 <= seconds < _JUMP:
            self.clock.advance(seconds)
        else:
            self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    def state(self) -> dict[str, Any]:
        """What can be seen of all jobs and schedules, in the form of the model."""
        with self.queue.database.read() as tx:
            found = map(dict, tx.rows(_JOBS))
            jobs = {self._name(row.pop("id")): row | {"executions": [], "parents": [], "steps": []} for row in found}
            self._executions = [dict(row) | {"job": self._name(row["job"])} for row in tx.rows(_EXECUTIONS)]
            for child, parent in tx.execute(_PARENTS):
                jobs[self._name(child)]["parents"].append(self._name(parent))
            for job, step in tx.execute(_STEPS):
                jobs[self._name(job)]["steps"].append(step)
            seen = {each.name: self._schedule(each) for each in schedules.records(tx)}
            lasts = {id_: self._name(job) for id_, job in tx.execute(_WORKFLOWS)}
            noted = tx.execute("SELECT function, since FROM job_missing_functions").fetchall()
            entries = tx.execute("SELECT job, entry FROM entries ORDER BY rowid").fetchall()
        for row in self._executions:
            told = {name: row[name] for name in ("attempts", "worker", "status")}
            jobs[row["job"]]["executions"].append(told | {"started_at": self._seconds(row["started_at"], inf)})
        for job in jobs.values():
            job["because"], job["by"] = self._name(job["because"]), self._name(job["by"])
            job["run_at"] = self._seconds(job["run_at"], -inf)
            job["ready_at"] = job["ready_at"] and self._seconds(job["ready_at"], inf)
        missed = {function.removeprefix(_function("")): self._seconds(since, inf) for function, since in noted}
        return jobs | seen | {"missing": missed, "workflows": lasts, "entries": entries}

    def check(self) -> None:
        """Check that the file is sound, and that each worker learns what it has."""
        assert self.queue.check() == []
        with self.queue.database.read() as tx:
            for name, key in self._workers.items():
                own = {row["id"] for row in self._executions if (row["worker"], row["status"]) == (name, "running")}
                assert workers.standing(tx, key).own == own, f"{name} has {own}, and is told something else"

    @contextmanager
    def _joining(self) -> Iterator[dict[str, Any]]:
        """Have a verb take part in a transaction of the application, if there is one, and it has none open."""
        if not self._application or self._application.in_transaction:
            yield {}
            return
        self._application.execute("BEGIN")
        try:
            yield {"connection": self._application}
        except BaseException:
            self._application.execute("ROLLBACK")
            raise
        self._application.execute("COMMIT")

    def _job(self, name: str, *, parents: list[str], delay: int, expires_at: float, **options: Any) -> Job:
        expiry = None if expires_at == inf else self._start + timedelta(seconds=expires_at)
        parents = [self._id(parent) for parent in parents]
        return Job(name, id=self._id(name), dependencies=parents, delay=delay, expires_at=expiry, **_options(options))

    def _worker(self, tx: Any, name: str) -> WorkerKey:
        if name not in self._workers:
            self._workers[name] = workers.register(tx, name, SOMEWHERE, concurrency=1)
        return self._workers[name]

    def _keep(self, claim: JobClaim) -> str:
        self._taken[claim.execution_id] = claim
        self._note(claim.execution_id)
        return self._name(claim.id)

    def _note(self, *executions: int) -> None:
        assert all(each > self._newest for each in executions), "an id of an execution was used again"
        self._newest = max((self._newest, *executions))

    def _settle(self, execution: int, end: str, *, is_final: bool = False, delay: int = 0) -> None:
        if end in BY_HAND and execution in self._taken:
            self._say(self._taken[execution], end, is_final=is_final, delay=delay)
            return
        result = "1" if end == "completed" else None
        report = Report(status=ExecutionStatus(end), result=result, is_final=is_final, delay=delay)
        with self.queue.database.write() as tx:
            settling.settle(tx, execution, report)

    def _say(self, job: JobClaim | str, end: str, *, is_final: bool = False, delay: int = 0) -> None:
        if end == "completed":
            with self._joining() as joined:
                self.queue.complete(self._id(job), 1, **joined)
        else:
            self.queue.fail(self._id(job), RetryLater(delay) if end == "released" else "no", retry=not is_final)

    def _of(self, name: str, *, is_open: bool) -> list[int]:
        """The executions of a job, as found by the last look."""
        rows = [row for row in self._executions if row["job"] == name]
        return [row["id"] for row in rows if (row["status"] == "running") == is_open]

    def _schedule(self, schedule: ScheduleRecord) -> dict[str, Any]:
        next_at = schedule.next_at and round((schedule.next_at - self._start).total_seconds())
        return {"next_at": next_at, "is_paused": schedule.is_paused, "last": self._name(schedule.last_job)}

    def _held(self, name: str) -> list[JobStore]:
        """The store of the open execution of a job, if a worker has claimed it."""
        return [self._stores[each] for each in self._of(name, is_open=True) if each in self._stores]

    def _id(self, name: Any) -> Any:
        return self._ids.get(name, name) if isinstance(name, str) else name

    def _name(self, job_id: Any) -> Any:
        return self._names.get(job_id, job_id)

    def _told(self, job_id: JobId) -> Submitted:
        return self._name(str(job_id)), job_id.is_new

    def _seconds(self, instant: str | None, missing: float) -> float:
        if instant is not None and instant not in self._known:
            self._known[instant] = round((from_text(instant) - self._start).total_seconds())
        return missing if instant is None else self._known[instant]


def _options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `Job`, and of the jobs of a schedule."""
    return {
        "function": _function(options["function"]),
        "on_parent_failure": "cancel" if options["goes_with_parent"] else "run",
        "unique_key": options["key"],
        "max_attempts": options["most"],
        "timeout": _or_none(options["timeout"]),
        "retry_delay": options["retry_delay"],
        "retry_backoff": 2,
        **{name: options[name] for name in ("queue", "priority")},
    }


class _Undone(Exception):
    """Rolls a transaction back."""


@contextmanager
def _refused() -> Iterator[None]:
    """What is done is refused, for the execution has ended."""
    with suppress(LeaseLost):
        yield
        raise AssertionError("what an execution has written after its end was not refused")


_TERMS = Terms(60.0, AssertionError)


def _enter(db: Any, job: str, entry: str) -> Step:
    db.execute("INSERT INTO entries VALUES (?, ?)", (job, entry))
    return _step(entry)


def _step(name: str) -> Step:
    return Step(name, 1, 0, "step", None, None, "1", "2026-01-01T00:00:00.000000Z")


def _function(name: str) -> str:
    return f"functions:{name}"


def _or_none(number: float) -> Any:
    return number if abs(number) < inf else None


_JOBS = """
    SELECT jobs.id, jobs.status, jobs.attempts, jobs.run_at, causes.id AS because, jobs.queue, jobs.priority,
           jobs.crashes, jobs.releases, jobs.progress, submitters.id AS "by", jobs.generation, flows.id AS workflow,
           CAST(jobs.cursor AS INTEGER) AS cursor, CAST(jobs.result AS INTEGER) AS result,
           CASE WHEN jobs.completed_at IS NULL THEN jobs.blockers END AS blockers,
           CASE WHEN jobs.completed_at IS NULL THEN coalesce(jobs.ready_at, jobs.created_at) END AS ready_at
      FROM jobs
      LEFT JOIN jobs AS causes ON causes.seq = jobs.failed_parent
      LEFT JOIN job_workflows AS flows ON flows.seq = jobs.workflow_seq
      LEFT JOIN jobs AS submitters ON submitters.seq = jobs.submitted_by
     ORDER BY jobs.seq
"""

_PARENTS = """
    SELECT jobs.id, parents.id
      FROM job_dependencies JOIN jobs ON jobs.seq = child JOIN jobs AS parents ON parents.seq = parent
     ORDER BY child, position
"""

_STEPS = "SELECT jobs.id, job_steps.name FROM job_steps JOIN jobs ON jobs.seq = job_seq ORDER BY job_steps.seq"

_WORKFLOWS = """
    SELECT job_workflows.id, jobs.id FROM job_workflows LEFT JOIN jobs ON jobs.seq = last_job
"""

_EXECUTIONS = """
    SELECT jobs.id AS job, executions.id, executions.attempt AS attempts, executions.worker_id AS worker,
           executions.status, executions.started_at
      FROM executions JOIN jobs ON jobs.seq = executions.job_seq
     ORDER BY executions.id
"""
