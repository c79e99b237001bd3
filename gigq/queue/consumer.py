"""How a program takes jobs without a worker: by hand, one at a time, and says itself what became of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.codec import RESULT_LIMIT, encode
from gigq.errors import LeaseLost
from gigq.liveness import WorkerKey
from gigq.paths import Function
from gigq.queue.base import QueueBase
from gigq.queue.job_claim import JobClaim
from gigq.queue.manual_worker import ManualWorker
from gigq.reports import Report
from gigq.runtime.call import Functions, caller, report_on
from gigq.runtime.inline import InlineRunner
from gigq.status import ExecutionStatus
from gigq.store import claiming, manual, settling
from gigq.store.claiming import Room
from gigq.store.engine.database import Database

_WORDS_OF_AN_ERROR = {"type", "message", "traceback"}


class QueueConsumer(QueueBase):
    """The part of a `JobQueue` by which jobs are taken by hand. Safe to share between threads, and across a fork.

    What was taken is held in the name of this process: until it is settled, until its timeout has passed, until the
    queue is closed, or until the process is gone.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, clock)
        self._hands: dict[int, ManualWorker] = {}  # by process: the child of a fork takes jobs in its own name

    def dequeue(self, worker_id: str | None = None, *, queues: str | Sequence[str] | None = None) -> JobClaim | None:
        """Take the best job that is ready, and count the attempt; None if none is. One write transaction.

        Settle it with `complete`, `fail` or `execute_job`. Nobody takes it away while this process lives, but at its
        timeout (300 seconds unless the job says otherwise): then the next `dequeue`, or any worker within a second,
        settles it as timeout. That is told by the wall clock, the only one that processes share; a clock that is set
        back gives more time, one that is set forward less. A job without a timeout is held until the process is gone,
        which is seen from the same machine and container.

        Args:
            worker_id: a name for people; by default the host, the process and a few letters.
            queues: the name of a queue, or several; None for all.

        Raises:
            QueueBusy, StoreError: nothing was taken.
        """
        names = [queues] if isinstance(queues, str) else queues
        ours = self._hand() or self._hands.setdefault(os.getpid(), ManualWorker())
        with ours.lock:
            with self.database.write() as tx:
                key = ours.registered(tx, worker_id)
                swept_at = ours.sweep(tx, now=self.clock.monotonic())
                claims = claiming.claim(tx, WorkerKey(key.seq, worker_id or key.id), room=Room(free=1), queues=names)
            # Not before the commit: a row that was rolled back may become another's, and a sweep was none.
            ours.key, ours.swept_at = key, swept_at
        return JobClaim.of(claims[0], now=tx.now) if claims else None

    def complete(self, job: JobClaim | str, result: Any = None) -> None:
        """Settle a job that was taken by hand as completed. One write transaction.

        Args:
            job: what `dequeue` returned, or a job's id. The claim is the safer of the two: by its id a job is settled
                for whoever holds it by hand now, so a late call may end another one's execution. Only what was taken
                away from this very queue object is refused all the same.
            result: what JSON can hold, at most 10 MB of it.

        Raises:
            LeaseLost: the job was taken away, or settled before; or nobody holds it by hand. Nothing has changed.
            JobNotFound: no job has this id.
            NotSerializable: JSON cannot hold the result. The job is held as before.
            QueueBusy, StoreError: nothing was written; call it again.
        """
        text = encode(result, name="result", limit=RESULT_LIMIT)
        self._settle(self._claim(job), Report.completed(text))

    def fail(self, job: JobClaim | str, error: str | Mapping[str, str] | BaseException, *, retry: bool = True) -> None:
        """Settle a job that was taken by hand as failed: it is tried again if it has attempts left.

        One write transaction. Raises as `complete`.

        Args:
            job: as for `complete`.
            error: text; ``{"type": …, "message": …, "traceback": …}``, of which the message must be there; or an
                exception, which is judged as if the function had raised it: by the job's `retry_on` and `no_retry_on`,
                and by what `GiveUp` and `RetryLater` mean.
            retry: False fails it for good.

        Raises:
            ValueError: the error is none of these.
        """
        claim = self._claim(job)
        report = report_on(error, claim) if isinstance(error, BaseException) else _failure(error)
        if not retry:
            report = report._replace(status=ExecutionStatus.FAILED, is_final=True)
        self._settle(claim, report)

    def execute_job(self, job: JobClaim, *, handlers: Mapping[str, Function] | None = None) -> ExecutionStatus:
        """Call the function of a job that was taken by hand, here and now, settle the job, and return how that ended.

        What the function raises is kept with the job, which is tried again if it has attempts left; it does not come
        out of here. The timeout begins with the call. As with `Worker.process_one`: in the main thread the function
        is stopped at its deadline even while it sleeps, elsewhere at its next step of Python; SIGINT and SIGTERM give
        the job back, and then do what they do otherwise.

        Two write transactions. If the job was taken away before, the function is not called; if that happens
        meanwhile, its result is dropped. What is returned is then how the other one has ended it.

        Args:
            handlers: functions by the name that jobs call them by; what is not here is imported.

        Raises:
            LeaseLost: the job was deleted.
            QueueBusy, StoreError: the file could not be read or written. If the function was called, what came of it
                is not kept; the job is held as before.
        """
        with self.database.write() as tx:
            status = manual.begin(tx, job.execution_id)
        if status is not ExecutionStatus.RUNNING:
            return _existing(job, status)
        runner = InlineRunner(caller(Functions(handlers=handlers or {}), clock=self.clock, result_limit=RESULT_LIMIT))
        runner.start([job.taken])
        ((_, report),) = runner.ended()
        with self.database.write() as tx:
            settling.settle_all(tx, [(job.execution_id, report)])
            status = manual.status_of(tx, job.execution_id)
        if runner.signal is not None:
            signal.raise_signal(runner.signal)
        return _existing(job, status)

    def close(self) -> None:
        """Give back what is still held by hand in this process, its attempt not counted, and close all connections.

        The queue cannot be used any more.

        Raises:
            StoreError: what was held could not be given back; that happens when the process has ended.
        """
        ours = self._hand()
        try:
            if ours is not None:
                ours.leave(self.database)
        finally:
            super().close()

    def _hand(self) -> ManualWorker | None:
        return self._hands.get(os.getpid())

    def _claim(self, job: JobClaim | str) -> Claim:
        if isinstance(job, JobClaim):
            return job.taken
        ours = self._hand()
        with self.database.read() as tx:
            return manual.held(tx, job, own=None if ours is None else ours.key)

    def _settle(self, claim: Claim, report: Report) -> None:
        with self.database.write() as tx:
            settling.settle(tx, claim.execution_id, report)


def _failure(error: str | Mapping[str, str]) -> Report:
    """The report of an error that is told in words.

    Raises:
        ValueError: it is neither text nor a dict of texts with a message.
    """
    if isinstance(error, str):
        return Report.failed(error)
    is_told = isinstance(error, Mapping) and "message" in error and error.keys() <= _WORDS_OF_AN_ERROR
    if not is_told or not all(isinstance(word, str) for word in error.values()):
        raise ValueError(
            f"the error is {error!r}; pass text, an exception, or a dict of texts: message, and perhaps type, traceback"
        )
    kind, message = error.get("type"), error["message"]
    return Report.failed(f"{kind}: {message}" if kind else message, error_type=kind, traceback=error.get("traceback"))


def _existing(job: JobClaim, status: ExecutionStatus | None) -> ExecutionStatus:
    if status is None:
        raise LeaseLost(f"job {job.id} was deleted while execution {job.execution_id} held it")
    return status
