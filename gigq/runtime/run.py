"""The work of a running job that outlives its process: what connects its execution to the file of its queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gigq.claims import Claim
from gigq.clock import SystemClock, in_seconds
from gigq.errors import JobTimeout, TransactionTimeout
from gigq.reports import Report
from gigq.runtime.call_state import CallState
from gigq.runtime.durable import JobStore, Terms, Tools
from gigq.runtime.output import Output
from gigq.runtime.step_names import StepNames

_CLOCK = SystemClock()


class Run:
    """The connection of one execution to its queue's file. Safe to use from the threads of the job.

    Attributes:
        claim: the execution.
        written, now, default: as in `Tools`.
        thread: the thread of its function.
        names: the names of its steps.
        has_begun_anew: whether a step has been passed over that an earlier execution has made.
        is_in_last_act: whether the block of its transaction runs now.
    """

    def __init__(
        self, claim: Claim, tools: Tools, state: CallState | None, *, thread: int, began_at: float
    ) -> None:
        self.claim = claim
        self.written = tools.written
        self.now = tools.now
        self.default = tools.default
        self.thread = thread
        self.names = StepNames()
        self.has_begun_anew = self.is_in_last_act = False
        self._opened = tools.opened
        self._state = state
        self._began_at = began_at
        self._lock = threading.Lock()
        self._store: JobStore | None = None
        self._is_closed = self._is_done = False

    @property
    def store(self) -> JobStore:
        """The file, opened at the first use.

        Raises:
            RuntimeError: the job's function has ended, and a thread that it has left behind asks; or the block of its
                transaction has, after which it may only return.
        """
        with self._lock:
            if self._is_closed:
                raise _ended(self.claim)
            if self._is_done:
                raise RuntimeError(
                    f"the transaction of job {self.claim.job_id} is its last act, and is committed when its function "
                    "returns; do this before the transaction"
                )
            self._store = self._store or self._opened(self.claim)
            return self._store

    @contextmanager
    def last_act(self) -> Iterator[None]:
        """Note that the block of the transaction runs, and, unless it raises, that it is done."""
        self.is_in_last_act = True
        try:
            yield
            self._is_done = True
        finally:
            self.is_in_last_act = False

    def terms(self, limit: float) -> Terms:
        """Return on which terms it may hold the write lock: never longer than the job itself may run.

        Its worker may be waiting for the same lock, and so be unable to stop it at its deadline.
        """
        timeout = self.claim.timeout
        if timeout is not None:
            took = _CLOCK.monotonic() - self._began_at  # the clock on the wall may have been set meanwhile
            if timeout - took < limit:
                return Terms(max(0.0, timeout - took), lambda: self._refusal(JobTimeout()))
        error = TransactionTimeout(
            f"the transaction of job {self.claim.job_id} was open for its limit of {in_seconds(limit)} and is rolled "
            "back, because others could write nothing meanwhile; do what takes long before it, or raise the limit"
        )
        return Terms(limit, lambda: self._refusal(error))

    def finished(self, report: Report) -> Report:
        """Settle the execution with this report if its last act was a transaction, and return the report.

        Raises:
            BaseException: nothing of it is written.
        """
        if self.is_in_last_act:
            raise RuntimeError(f"the function of job {self.claim.job_id} has returned while its transaction was open")
        if not self._is_done or self._store is None:
            return report
        self._store.settle(report)
        return report._replace(is_settled=True)

    def stop(self) -> None:
        """Have what it holds in the file taken back at once, because its function is being stopped. Never waits."""
        store = self._store
        if store is not None:
            store.hurry()

    def close(self) -> None:
        """Roll back what is not committed, and close the file. What a thread of the job asks for later is refused."""
        with self._lock:
            self._is_closed = True
            store, self._store = self._store, None
        if store is not None:
            store.close()

    def _refusal(self, error: BaseException) -> BaseException:
        reason = self._state and self._state.stop_reason
        return reason() if reason else error


def run_of(
    claim: Claim, tools: Tools | None, state: CallState | None, output: Output, *, wanted: str
) -> Run:
    """Return what connects an execution to its file, made at the first call.

    Args:
        wanted: what was asked for, as the message of an error calls it.

    Raises:
        RuntimeError: no job is running here, or its function has ended.
    """
    if tools is None:
        raise RuntimeError(f"{wanted} needs the file of a queue, and no job is running here; run it as a job")
    with _MAKING:
        if output.has_ended:
            raise _ended(claim)
        run = output.run
        if not isinstance(run, Run):
            run = output.run = Run(claim, tools, state, thread=output.thread, began_at=output.began_at)
        return run


_MAKING = threading.Lock()
"""So that the threads of a job get the same run."""


def _ended(claim: Claim) -> RuntimeError:
    return RuntimeError(f"the function of job {claim.job_id} has ended; only while it runs can it write to the file")
