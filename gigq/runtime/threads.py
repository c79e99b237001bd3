"""A thread for each slot."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from queue import Empty, SimpleQueue

from gigq.clock import Clock
from gigq.errors import JobCancelled, JobTimeout
from gigq.records import Claim, Report
from gigq.runtime.call import timed_out
from gigq.runtime.interrupt import interrupt
from gigq.runtime.runner import Call, Ended

MOST_ABANDONED = 16
"""Threads that were told to stop and have not; with so many of them a runner has no free slot."""


class ThreadRunner:
    """Calls functions in threads of this process.

    A thread that is told to stop is abandoned: it gets an exception at its next step of Python, its report is
    dropped, and a new thread takes its slot at once, for nothing can end a thread that does not come back.

    Args:
        call: from a claim to a report.
        slots: how many functions may run at a time.
        clock: where time comes from.
    """

    def __init__(self, call: Call, *, slots: int, clock: Clock) -> None:
        self._call = call
        self._slots = slots
        self._clock = clock
        self._reports: SimpleQueue[tuple[_Slot, Claim, Report] | None] = SimpleQueue()
        self._arrived: list[tuple[_Slot, Claim, Report]] = []
        self._busy: dict[int, tuple[_Slot, Claim, float | None]] = {}
        self._idle: list[_Slot] = []
        self._abandoned: list[_Slot] = []

    @property
    def free(self) -> int:
        self._abandoned = [slot for slot in self._abandoned if slot.is_alive()]
        return 0 if len(self._abandoned) >= MOST_ABANDONED else self._slots - len(self._busy)

    @property
    def running(self) -> Collection[int]:
        return list(self._busy)

    @property
    def next_deadline(self) -> float | None:
        return min((deadline for _, _, deadline in self._busy.values() if deadline is not None), default=None)

    def start(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            slot = self._idle.pop() if self._idle else _Slot(self._call, self._reports)
            deadline = None if claim.timeout is None else self._clock.monotonic() + claim.timeout
            self._busy[claim.execution_id] = slot, claim, deadline
            slot.give(claim)

    def ended(self) -> list[Ended]:
        return self._reported() + self._overdue()

    def stop(self, executions: Collection[int]) -> None:
        for execution in executions:
            self._abandon(execution, JobCancelled)

    def wait(self, seconds: float) -> None:
        try:
            arrived = self._reports.get(timeout=min(seconds, threading.TIMEOUT_MAX))
        except Empty:
            return
        if arrived is not None:
            self._arrived.append(arrived)

    def wake(self) -> None:
        self._reports.put(None)

    def close(self) -> None:
        for slot in self._idle:
            slot.dismiss()
        self._idle.clear()

    def _reported(self) -> list[Ended]:
        while not self._reports.empty():
            self.wait(0)
        ended = []
        for slot, claim, report in self._arrived:
            if self._busy.pop(claim.execution_id, None):
                self._idle.append(slot)
                ended.append((claim, report))
        self._arrived.clear()
        return ended

    def _overdue(self) -> list[Ended]:
        now = self._clock.monotonic()
        late = [claim for _, claim, deadline in self._busy.values() if deadline is not None and deadline <= now]
        return [(claim, timed_out(claim)) for claim in late if self._abandon(claim.execution_id, JobTimeout)]

    def _abandon(self, execution: int, reason: type[BaseException]) -> bool:
        """Stop an execution; False if it has just ended by itself, and its report is on the way."""
        if execution not in self._busy or not self._busy[execution][0].abandon(reason):
            return False
        slot, _, _ = self._busy.pop(execution)
        self._abandoned.append(slot)
        return True


class _Slot:
    """One thread, and the claim that it works on."""

    def __init__(self, call: Call, reports: SimpleQueue[tuple[_Slot, Claim, Report] | None]) -> None:
        self._call = call
        self._reports = reports
        self._claims: SimpleQueue[Claim | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_busy = False
        self._is_abandoned = False
        self._thread = threading.Thread(target=self._serve, name="gigq-slot", daemon=True)
        self._thread.start()

    def give(self, claim: Claim) -> None:
        self._is_busy = True
        self._claims.put(claim)

    def dismiss(self) -> None:
        self._claims.put(None)

    def abandon(self, reason: type[BaseException]) -> bool:
        """Raise an exception in the thread, which ends it; False if its function has returned already."""
        with self._lock:
            if self._is_busy and self._thread.ident is not None:
                self._is_abandoned = True
                interrupt(self._thread.ident, reason)
            return self._is_abandoned

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _serve(self) -> None:
        try:
            while (claim := self._claims.get()) is not None:
                report = self._call(claim)
                with self._lock:
                    self._is_busy = False  # from here on nothing is raised in this thread any more
                    if self._is_abandoned:
                        return
                self._reports.put((self, claim, report))
        except (JobTimeout, JobCancelled):
            pass  # abandoned just when the function had returned
