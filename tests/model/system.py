"""The real queue, with the methods of the model."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from store.verbs import SOMEWHERE

from gigq import Job, JobQueue, LeaseLost, ManualClock, UnknownParent
from gigq.clock import from_text
from gigq.liveness import WorkerKey
from gigq.records import Report
from gigq.status import ExecutionStatus
from gigq.store import claiming, settling, workers
from gigq.store.claiming import Room

_FUNCTION = "functions:nothing"


class System:
    """A queue in memory, driven by the store's verbs where a worker would be, under a clock that the walk moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.queue = JobQueue(":memory:", clock=self.clock)
        self._start = self.clock.now()
        self._workers: dict[str, WorkerKey] = {}

    def submit(self, name: str, **options: Any) -> str | None:
        job = Job(
            name,
            _FUNCTION,
            id=name,
            priority=options["priority"],
            queue=options["queue"],
            dependencies=options["parents"],
            on_parent_failure="cancel" if options["goes_with_parent"] else "run",
            delay=options["delay"],
            expires_at=None
            if options["expires_at"] is None
            else self._start + timedelta(seconds=options["expires_at"]),
            unique_key=options["key"],
            max_attempts=options["most"],
            retry_delay=options["retry_delay"],
            retry_backoff=2,
        )
        try:
            return self.queue.submit(job)
        except UnknownParent:
            return None

    def claim(self, worker: str, *, free: int, ahead: int, queues: list[str] | None) -> list[str]:
        with self.queue.database.write() as tx:
            room = Room(free=free, ahead=ahead, returned=[_FUNCTION])
            claims = claiming.claim(tx, self._worker(tx, worker), room=room, queues=queues)
        assert [claim.is_ahead for claim in claims] == [number >= free for number in range(len(claims))]
        return [claim.job_id for claim in claims]

    def begin(self, name: str, *, which: int) -> None:
        execution = self._execution(name, which)
        if execution is not None:
            with self.queue.database.write() as tx:
                claiming.begin(tx, [execution])

    def settle(self, name: str, *, which: int, end: str, is_final: bool = False, delay: int = 0) -> bool:
        execution = self._execution(name, which)
        if execution is None:
            return False
        report = Report(
            status=ExecutionStatus(end), result="1" if end == "completed" else None, is_final=is_final, delay=delay
        )
        try:
            with self.queue.database.write() as tx:
                settling.settle(tx, execution, report, chance=0.5)
        except LeaseLost:
            return False
        return True

    def standing(self, worker: str) -> list[int]:
        with self.queue.database.write() as tx:
            key = self._worker(tx, worker)
            workers.renew(tx, key)
            standing = workers.standing(tx, key)
        assert standing is not None
        return sorted(standing.own)

    def strike_off(self, worker: str) -> int:
        with self.queue.database.write() as tx:
            struck = workers.strike_off(tx, self._worker(tx, worker), chance=lambda: 0.5)
        del self._workers[worker]
        return struck

    def take_away(self, *, older_than: int) -> int:
        return self.queue.requeue_stuck(older_than=older_than)

    def resign(self, worker: str) -> None:
        with self.queue.database.write() as tx:
            workers.resign(tx, self._worker(tx, worker), reason="told to stop")
        del self._workers[worker]

    def cancel(self, name: str, *, running: bool) -> bool:
        return self.queue.cancel(name, running=running)

    def requeue(self, name: str, *, delay: int) -> bool:
        return self.queue.requeue_job(name, delay=delay)

    def reschedule(self, name: str, *, delay: int | None, priority: int | None, queue: str | None) -> bool:
        return self.queue.reschedule(name, delay=delay, priority=priority, queue=queue)

    def pause(self, queue: str, *, is_paused: bool) -> None:
        (self.queue.pause if is_paused else self.queue.resume)(queue or None)

    def configure(self, queue: str, *, max_running: int | None) -> None:
        self.queue.configure(queue, max_running=max_running)

    def prune(self, statuses: list[str], *, older_than: int | None, keep: int | None) -> int:
        return self.queue.prune(statuses, older_than=older_than, keep=keep)

    def let_pass(self, seconds: int) -> None:
        if seconds > 0:
            self.clock.advance(seconds)
        else:
            self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    def state(self) -> dict[str, Any]:
        """What can be seen of all jobs, as the model tells it."""
        with self.queue.database.read() as tx:
            found = {row["id"]: self._seen(dict(row)) for row in tx.rows(_JOBS)}
            for job, *execution, begun_at in tx.execute(_EXECUTIONS):
                found[job]["executions"].append([*execution, self._seconds(begun_at)])
        return found

    def _seen(self, row: dict[str, Any]) -> dict[str, Any]:
        del row["id"]
        return row | {"run_at": self._seconds(row["run_at"]), "executions": []}

    def _seconds(self, instant: str | None) -> int | None:
        return None if instant is None else round((from_text(instant) - self._start).total_seconds())

    def _worker(self, tx: Any, name: str) -> WorkerKey:
        if name not in self._workers:
            self._workers[name] = workers.register(tx, name, SOMEWHERE, concurrency=1)
        return self._workers[name]

    def _execution(self, name: str, which: int) -> int | None:
        sql = "SELECT id FROM executions WHERE job_seq = (SELECT seq FROM jobs WHERE id = ?) ORDER BY id"
        with self.queue.database.read() as tx:
            executions = [execution for (execution,) in tx.execute(sql, (name,))]
        return executions[which] if -len(executions) <= which < len(executions) else None


_JOBS = """
    SELECT jobs.id, jobs.status, jobs.attempts, jobs.run_at, causes.id AS because, jobs.queue, jobs.priority,
           jobs.crashes, CASE WHEN jobs.completed_at IS NULL THEN jobs.blockers END AS blockers
      FROM jobs LEFT JOIN jobs AS causes ON causes.seq = jobs.failed_parent
     ORDER BY jobs.seq
"""

_EXECUTIONS = """
    SELECT jobs.id, executions.id, executions.attempt, executions.worker_id, executions.status,
           executions.started_at
      FROM executions JOIN jobs ON jobs.seq = executions.job_seq
     ORDER BY executions.id
"""
