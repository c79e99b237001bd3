"""The real queue, with the methods of the model."""

from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import Any

from model.plain import HAND, Submitted
from store.verbs import SOMEWHERE

from gigq import Job, JobClaim, JobNotFound, JobQueue, LeaseLost, ManualClock, RetryLater, UnknownParent
from gigq.clock import from_text
from gigq.job_ids import JobId
from gigq.liveness import WorkerKey
from gigq.records import ScheduleRecord
from gigq.reports import Progress, Report
from gigq.status import ExecutionStatus
from gigq.store import claiming, missing, schedules, settling, workers
from gigq.store.claiming import Room
from gigq.store.progress import write_progress
from gigq.store.ready import Lacking

BY_HAND = ("completed", "failed", "released")
"""The ways in which a program without a worker can end a job."""

_JUMP = 3600


class System:
    """A queue, by default in memory, under a clock that the walk moves.

    The store's verbs drive it where a worker would be, and the public methods where a person or a hand would.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self.clock = ManualClock()
        self.queue = JobQueue(path, clock=self.clock, durability="normal")
        self._start = self.clock.now()
        self._workers: dict[str, WorkerKey] = {}
        self._taken: dict[int, JobClaim] = {}
        self._executions: list[dict[str, Any]] = []
        self._newest = 0
        self._known: dict[str, float] = {}

    @property
    def now(self) -> int:
        """Seconds since the walk began."""
        return round((self.clock.now() - self._start).total_seconds())

    def submit(self, name: str, **options: Any) -> Submitted | None:
        try:
            return _told(self.queue.submit(self._job(name, **options)))
        except UnknownParent:
            return None

    def submit_many(self, jobs: list[tuple[str, dict[str, Any]]]) -> list[Submitted]:
        ids = self.queue.submit_many(self._job(name, **options) for name, options in jobs)
        return [_told(job_id) for job_id in ids]

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
        return [claim.job_id for claim in claims]

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
        return self.queue.cancel(name, running=running)

    def requeue(self, name: str, *, delay: int) -> bool:
        return self.queue.requeue_job(name, delay=delay)

    def reschedule(self, name: str, **changes: Any) -> bool:
        return self.queue.reschedule(name, **changes)

    def prune(self, statuses: list[str], *, older_than: float, keep: int) -> int:
        return self.queue.prune(statuses, older_than=_or_none(older_than), keep=keep or None)

    def delete(self, name: str) -> bool:
        return self.queue.delete_job(name)

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
            jobs = {row.pop("id"): row | {"executions": []} for row in map(dict, tx.rows(_JOBS))}
            self._executions = [dict(row) for row in tx.rows(_EXECUTIONS)]
            seen = {each.name: self._schedule(each) for each in schedules.records(tx)}
            noted = tx.execute("SELECT function, since FROM job_missing_functions").fetchall()
        for row in self._executions:
            told = {name: row[name] for name in ("attempts", "worker", "status")}
            jobs[row["job"]]["executions"].append(told | {"started_at": self._seconds(row["started_at"], inf)})
        for job in jobs.values():
            job["run_at"] = self._seconds(job["run_at"], -inf)
            job["ready_at"] = job["ready_at"] and self._seconds(job["ready_at"], inf)
        missed = {function.removeprefix(_function("")): self._seconds(since, inf) for function, since in noted}
        return jobs | seen | {"missing": missed}

    def check(self) -> None:
        """Check that the file is sound, and that each worker learns what it has."""
        assert self.queue.check() == []
        with self.queue.database.read() as tx:
            for name, key in self._workers.items():
                own = {row["id"] for row in self._executions if (row["worker"], row["status"]) == (name, "running")}
                assert workers.standing(tx, key).own == own, f"{name} has {own}, and is told something else"

    def _job(self, name: str, *, parents: list[str], delay: int, expires_at: float, **options: Any) -> Job:
        expiry = None if expires_at == inf else self._start + timedelta(seconds=expires_at)
        return Job(name, id=name, dependencies=parents, delay=delay, expires_at=expiry, **_options(options))

    def _worker(self, tx: Any, name: str) -> WorkerKey:
        if name not in self._workers:
            self._workers[name] = workers.register(tx, name, SOMEWHERE, concurrency=1)
        return self._workers[name]

    def _keep(self, claim: JobClaim) -> str:
        self._taken[claim.execution_id] = claim
        self._note(claim.execution_id)
        return claim.id

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
            self.queue.complete(job, 1)
        else:
            self.queue.fail(job, RetryLater(delay) if end == "released" else "no", retry=not is_final)

    def _of(self, name: str, *, is_open: bool) -> list[int]:
        """The executions of a job, as found by the last look."""
        rows = [row for row in self._executions if row["job"] == name]
        return [row["id"] for row in rows if (row["status"] == "running") == is_open]

    def _schedule(self, schedule: ScheduleRecord) -> dict[str, Any]:
        next_at = schedule.next_at and round((schedule.next_at - self._start).total_seconds())
        return {"next_at": next_at, "is_paused": schedule.is_paused, "last": schedule.last_job}

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


def _told(job_id: JobId) -> Submitted:
    return str(job_id), job_id.is_new


def _function(name: str) -> str:
    return f"functions:{name}"


def _or_none(number: float) -> Any:
    return number if abs(number) < inf else None


_JOBS = """
    SELECT jobs.id, jobs.status, jobs.attempts, jobs.run_at, causes.id AS because, jobs.queue, jobs.priority,
           jobs.crashes, jobs.releases, jobs.progress,
           CASE WHEN jobs.completed_at IS NULL THEN jobs.blockers END AS blockers,
           CASE WHEN jobs.completed_at IS NULL THEN coalesce(jobs.ready_at, jobs.created_at) END AS ready_at
      FROM jobs LEFT JOIN jobs AS causes ON causes.seq = jobs.failed_parent
     ORDER BY jobs.seq
"""

_EXECUTIONS = """
    SELECT jobs.id AS job, executions.id, executions.attempt AS attempts, executions.worker_id AS worker,
           executions.status, executions.started_at
      FROM executions JOIN jobs ON jobs.seq = executions.job_seq
     ORDER BY executions.id
"""
