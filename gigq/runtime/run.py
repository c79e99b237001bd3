"""The work of a running job that outlives its process: what connects its execution to the file of its queue."""

from __future__ import annotations

import threading

from gigq.claims import Claim
from gigq.runtime.call_state import CallState
from gigq.runtime.durable import JobStore, Tools
from gigq.runtime.output import Output


class Run:
    """The connection of one execution to its queue's file. Safe to use from the threads of the job.

    Attributes:
        claim: the execution.
        written: as in `Tools`.
        state: what its runner shares with it, if it is one that stops functions.
    """

    def __init__(self, claim: Claim, tools: Tools, state: CallState | None) -> None:
        self.claim = claim
        self.written = tools.written
        self.state = state
        self._opened = tools.opened
        self._lock = threading.Lock()
        self._store: JobStore | None = None
        self._is_closed = False

    @property
    def store(self) -> JobStore:
        """The file, opened at the first use.

        Raises:
            RuntimeError: the job's function has ended, and a thread that it has left behind asks.
        """
        with self._lock:
            if self._is_closed:
                raise _ended(self.claim)
            self._store = self._store or self._opened(self.claim)
            return self._store

    def close(self) -> None:
        """Close the file. What a thread of the job asks for later is refused."""
        with self._lock:
            self._is_closed = True
            store, self._store = self._store, None
        if store is not None:
            store.close()


def run_of(claim: Claim, tools: Tools | None, state: CallState | None, output: Output, *, wanted: str) -> Run:
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
            run = output.run = Run(claim, tools, state)
        return run


_MAKING = threading.Lock()
"""So that the threads of a job get the same run."""


def _ended(claim: Claim) -> RuntimeError:
    return RuntimeError(f"the function of job {claim.job_id} has ended; only while it runs can it write to the file")
