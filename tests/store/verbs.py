"""The verbs of the store on one file, each in its own transaction, under a clock that the test moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gigq import Job, JobQueue, ManualClock
from gigq.claims import Claim
from gigq.clock import to_text
from gigq.liveness import ProcessIdentity, WorkerKey
from gigq.missing import NOTHING, Lacking
from gigq.reports import Report
from gigq.status import ExecutionStatus, Move
from gigq.steps import Step
from gigq.store import claiming, fencing, settling, steps, workers
from gigq.store.claiming import Room

SOMEWHERE = ProcessIdentity(machine_id="m", boot_id="b", pid_namespace="n", pid=1)


class File:
    """A queue's file as a worker sees it."""

    def __init__(self, queue: JobQueue, clock: ManualClock) -> None:
        self.queue = queue
        self.clock = clock
        self.worker = self.register("ann")

    def write(self) -> Any:
        return self.queue.database.write()

    def register(self, name: str) -> WorkerKey:
        with self.write() as tx:
            return workers.register(tx, name, SOMEWHERE, concurrency=1)

    def submit(self, name: str = "job", function: str = "functions:nothing", **options: Any) -> str:
        return self.queue.submit(Job(name, function, **options))

    def claim(
        self,
        free: int = 1,
        worker: WorkerKey | None = None,
        queues: Sequence[str] | None = None,
        lacking: Lacking = NOTHING,
        **room: Any,
    ) -> list[Claim]:
        with self.write() as tx:
            room_of = Room(free=free, **room)
            return claiming.claim(tx, worker or self.worker, room=room_of, queues=queues, lacking=lacking)

    def outlook(self, queues: Sequence[str] | None = None, lacking: Lacking = NOTHING) -> claiming.Outlook:
        with self.queue.database.read() as tx:
            return claiming.outlook(tx, queues=queues, lacking=lacking)

    def settle(self, claim: Claim, status: ExecutionStatus, chance: float = 0.0, **report: Any) -> Move:
        if status is ExecutionStatus.COMPLETED:
            report.setdefault("result", "null")
        with self.write() as tx:
            tx.random = lambda: chance
            return settling.settle(tx, claim.execution_id, Report(status=status, **report))

    def complete(self, job_id: str, result: str = "null") -> None:
        (claim,) = self.claim()
        assert claim.job_id == job_id
        self.settle(claim, ExecutionStatus.COMPLETED, result=result)

    def fail(self, job_id: str) -> None:
        (claim,) = self.claim()
        assert claim.job_id == job_id
        self.settle(claim, ExecutionStatus.FAILED, error="no", is_final=True)

    def job(self, job_id: str) -> Any:
        record = self.queue.get_job(job_id)
        assert record is not None
        return record

    def names(self, claims: list[Claim]) -> list[str]:
        return [claim.name for claim in claims]

    def value(self, sql: str, *values: Any) -> Any:
        with self.queue.database.read() as tx:
            return tx.value(sql, values)


def remember(
    file: File, claim: Claim, *names: str, result: str = "null", seconds: float = 0.0, occurrence: int | None = None
) -> None:
    """Remember steps of a claimed job, which took so many seconds each: those of one name count up."""
    for number, name in enumerate(names):
        nth = occurrence or names[: number + 1].count(name)
        started_at = to_text(file.clock.now())
        file.clock.advance(seconds)
        with file.write() as tx:
            fencing.must_own(tx, claim)
            depth = name.count("/")
            step = Step(name, nth, depth, "step", "f", '["a.html"]', result, started_at)
            steps.remember(tx, claim.job_seq, claim.execution_id, step)
