"""Manual consumption: jobs that a program takes and settles itself, without a Worker."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence

from gigq import checks
from gigq.checks import Default
from gigq.claims import Claim
from gigq.clock import Clock, to_text
from gigq.codec import RESULT_LIMIT
from gigq.errors import LeaseLost
from gigq.job_ids import JobRef, id_of
from gigq.liveness import WorkerKey, certainly_dead
from gigq.main_guard import IMPORTS
from gigq.missing import Missing
from gigq.paths import Function
from gigq.process import is_gone, this_process
from gigq.queue.durable import opener
from gigq.queue.job_claim import JobClaim
from gigq.reports import Report
from gigq.runtime.alarms import postponed
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.runtime.verdict import report_on
from gigq.status import ExecutionStatus, Move
from gigq.store import claiming, manual, missing, settling, workers
from gigq.store.claiming import Room
from gigq.store.engine.database import Database
from gigq.store.engine.transaction import Transaction

_SECONDS_BETWEEN_SWEEPS = 1.0
_CLOSED = "given back: the queue that claimed it was closed"
_KEYS_OF_AN_ERROR = {"type", "message", "traceback"}


class ManualConsumption:
    """What one queue object has claimed without a worker. Safe to share between threads, and to keep across a fork.

    Each process is entered in the file as a worker of its own, without a heartbeat.
    """

    def __init__(self, database: Database, clock: Clock, *, default: Default | None = None) -> None:
        self._database = database
        self._clock = clock
        self._default = default
        self._missing = Missing(f"{socket.gethostname()}-{os.getpid()}")  # what `execute` has not found
        self._begun: dict[int, str] = {}  # since when `execute` runs an execution
        self._workers: dict[int, _ManualWorker] = {}  # by process: the child of a fork claims in its own name

    def dequeue(self, worker_id: str | None, *, queues: Sequence[str] | None) -> JobClaim | None:
        """Claim the next job, or return None. One write transaction."""
        worker = self._worker() or self._workers.setdefault(os.getpid(), _ManualWorker())
        with worker.lock:
            with self._database.write() as tx:
                key, since = worker.registered(tx, worker_id)
                swept_at = worker.sweep(tx, now=self._clock.monotonic())
                claims = claiming.claim(
                    tx,
                    WorkerKey(key.seq, worker_id or key.id),
                    room=Room(free=1),
                    queues=queues,
                    lacking=self._missing.lacking(self._clock.monotonic()),
                )
            # Only after the commit: a row that was rolled back may become another worker's, and nothing was swept.
            worker.key, worker.since, worker.swept_at = key, since, swept_at
        return JobClaim.of(claims[0], now=tx.now) if claims else None

    def claim_of(self, job: JobRef) -> Claim:
        """Return the claim that a caller means by what `dequeue` returned, or by a job's id.

        Raises:
            JobNotFound: no job has this id.
            LeaseLost: nobody has claimed the job manually, or it was taken away from this queue object.
        """
        if isinstance(job, JobClaim):
            return job.claim
        job_id, worker = id_of(job, "job"), self._worker()
        with self._database.read() as tx:
            return manual.held(tx, job_id, own=None if worker is None else worker.key)

    def settle(self, job: JobRef, claim: Claim, report: Report) -> None:
        """Settle the execution of a claim that `claim_of` has returned for a job. One write transaction.

        Raises:
            LeaseLost: the execution has ended already, or was never committed.
        """
        with self._database.write() as tx:
            if isinstance(job, JobClaim):
                self._check(tx, job)
            settling.settle(tx, claim.execution_id, report)

    def _check(self, tx: Transaction, job: JobClaim) -> None:
        """Refuse a claim whose transaction its caller has rolled back."""
        known = {to_text(job.claimed_at), self._begun.get(job.execution_id, "")}
        manual.must_hold(tx, job.claim, known)

    @postponed()
    def execute(self, job: JobClaim, handlers: Mapping[str, Function] | None) -> ExecutionStatus:
        """Call the function here and now, settle the execution, and return how it ended. Two write transactions.

        Raises:
            LeaseLost: the job was deleted.
            TypeError: the handlers are not a dict.
        """
        functions = Functions.of(handlers)
        if not isinstance(job, JobClaim):
            raise TypeError(f"job is {checks.shown(job)}; it must be what dequeue returned")
        IMPORTS.refuse("a job was run")
        with self._database.write() as tx:
            self._check(tx, job)
            status = manual.begin(tx, job.execution_id)
        if status is not ExecutionStatus.RUNNING:
            return _existing(job, status)
        self._begun[job.execution_id] = tx.stamp
        call = caller(
            functions, clock=self._clock, result_limit=RESULT_LIMIT, default=self._default,
            opened=opener(self._database),
        )  # fmt: skip
        runner = InlineRunner(call)
        runner.start([job.claim])
        ((_, report),) = runner.ended()
        with self._database.write() as tx:
            report = self._noted(tx, job.claim, report)
            moves = settling.settle_all(tx, [(job.execution_id, report)])
            if report.is_missing and moves == [Move.FAIL]:
                self._missing.note_failed(job.function, now=self._clock.monotonic())
            status = manual.status_of(tx, job.execution_id)
        self._begun.pop(job.execution_id, None)
        if runner.signal is not None:
            signal.raise_signal(runner.signal)
        return _existing(job, status)

    def _noted(self, tx: Transaction, claim: Claim, report: Report) -> Report:
        """Remember whether the function was found. If not, `dequeue` leaves its jobs to others for a while."""
        worker, known = self._worker(), len(self._missing)
        if report.is_missing:
            report, _ = self._missing.note(claim, report, now=self._clock.monotonic())
        else:
            self._missing.note_found(claim.function)
            missing.note_found(tx, [claim.function])
        if worker is not None and worker.key is not None and known != len(self._missing):
            missing.note_missing(tx, worker.key, self._missing.reasons)
        return report

    def close(self) -> None:
        """Give back what this process still holds, the attempts not counted. At most one write transaction."""
        worker = self._worker()
        if worker is not None:
            worker.leave(self._database)

    def _worker(self) -> _ManualWorker | None:
        return self._workers.get(os.getpid())


class _ManualWorker:
    """This process as a worker without a heartbeat, as it is entered in the file.

    Hold `lock` to call `registered` or `sweep`, and to set the attributes.

    Attributes:
        key: its row in the file; None before the first job. If a caller has rolled back the transaction in which it was
            entered, it may be the row of another worker by now.
        since: when it was entered, as the file holds it.
        swept_at: the monotonic time of its last search for dead workers; None before the first.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.key: WorkerKey | None = None
        self.since = ""
        self.swept_at: float | None = None
        self._process = this_process()

    def registered(self, tx: Transaction, worker_id: str | None) -> tuple[WorkerKey, str]:
        """Return its row, and since when it is entered; enter one if there is none, for others may have removed it.

        Args:
            worker_id: a name for a new row; by default the host, the process and a few letters.
        """
        if self.key is not None and manual.is_registered(tx, self.key, since=self.since):
            return self.key, self.since
        name = worker_id or f"{socket.gethostname()}-{self._process.pid}-{os.urandom(2).hex()}"
        return manual.register(tx, name, self._process), tx.stamp

    def sweep(self, tx: Transaction, *, now: float) -> float:
        """Settle what is overdue, and, once a second, what dead workers hold: there may be no worker that does.

        Returns the value of `swept_at` once this is committed.
        """
        manual.time_out(tx)
        if self.swept_at is not None and now - self.swept_at < _SECONDS_BETWEEN_SWEEPS:
            return self.swept_at
        for dead in certainly_dead(workers.heartbeats(tx), here=self._process, is_gone=is_gone):
            workers.expel(tx, dead)
        return now

    def leave(self, database: Database) -> None:
        """Give back what is still held, and remove the row."""
        with self.lock:
            key, self.key = self.key, None
            if key is not None:
                with database.write() as tx:
                    if manual.is_registered(tx, key, since=self.since):
                        workers.leave(tx, key, reason=_CLOSED)


def failure(error: str | Mapping[str, str] | BaseException, claim: Claim, *, retry: bool) -> Report:
    """Return the report of a failed execution.

    Raises:
        ValueError: the error is neither an exception nor text nor a dict of texts with a message.
    """
    report = report_on(error, claim) if isinstance(error, BaseException) else _described(error)
    return report if retry else report._replace(status=ExecutionStatus.FAILED, is_final=True)


def _described(error: str | Mapping[str, str]) -> Report:
    if isinstance(error, str):
        return Report.failed(error)
    has_message = isinstance(error, Mapping) and "message" in error and error.keys() <= _KEYS_OF_AN_ERROR
    if not has_message or not all(isinstance(text, str) for text in error.values()):
        raise ValueError(
            f"the error is {error!r}; it must be text, an exception, "
            "or a dict of texts: message, and optionally type and traceback"
        )
    kind, message = error.get("type"), error["message"]
    return Report.failed(f"{kind}: {message}" if kind else message, error_type=kind, traceback=error.get("traceback"))


def _existing(job: JobClaim, status: ExecutionStatus | None) -> ExecutionStatus:
    if status is None:
        raise LeaseLost(f"job {job.id} was deleted while execution {job.execution_id} held it")
    return status
