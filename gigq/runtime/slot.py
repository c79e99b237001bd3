"""Serve a slot with a thread: take claims, call their functions, hand in reports."""

from __future__ import annotations

import threading
from collections import deque
from queue import SimpleQueue

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.errors import JobCancelled, JobTimeout
from gigq.runtime.context import CallState, take
from gigq.runtime.interrupt import interrupt
from gigq.runtime.runner import Call, Ended
from gigq.runtime.wakeup import Wakeup


class Exchange:
    """What the threads of a runner share: claims come in, reports go out.

    Attributes:
        started: the claims that have neither ended nor been stopped, by execution.
        serving: how many threads serve the slots, not counting those that were abandoned.
    """

    def __init__(self, call: Call, clock: Clock, slots: int) -> None:
        self.call = call
        self.clock = clock
        self.slots = slots
        self.serving = 0
        self.claims: SimpleQueue[Claim | None] = SimpleQueue()
        self.reports: deque[Ended] = deque()
        self.wakeup = Wakeup()
        self.started: dict[int, Claim] = {}
        self._lock = threading.Lock()

    def add_thread(self) -> None:
        """Count one more thread."""
        with self._lock:
            self.serving += 1

    def remove_thread(self) -> None:
        """Count one thread less."""
        with self._lock:
            self.serving -= 1

    def retire_one(self) -> bool:
        """Whether the thread that asks is surplus; then it is no longer counted."""
        with self._lock:
            is_surplus = self.serving > self.slots
            self.serving -= is_surplus
            return is_surplus


class Slot:
    """One thread, and the claim that it works on."""

    def __init__(self, exchange: Exchange) -> None:
        self.claim: Claim | None = None
        self.deadline: float | None = None
        self.has_retired = False
        self.state = CallState()
        self._exchange = exchange
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="gigq-slot", daemon=True)
        self._thread.start()

    def abandon(self, execution: int, reason: type[BaseException]) -> bool:
        """Raise an exception in the thread, which ends it. False if the thread is not working on this execution."""
        with self._lock:
            claim = self.claim
            if claim is None or claim.execution_id != execution or self.state.stop_reason:
                return False
            self.state.stop_reason = reason
            interrupt(self._thread.ident or 0, reason)
            return True

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _serve(self) -> None:
        take(self.state)
        exchange = self._exchange
        try:
            # Read without the lock: when the number of slots is lowered, all threads are woken afterwards.
            while exchange.serving <= exchange.slots or not exchange.retire_one():
                claim = exchange.claims.get()
                if claim is not None and not self._work_on(claim):
                    return
            self.has_retired = True
        except (JobTimeout, JobCancelled):
            pass  # abandoned just after the function had returned

    def _work_on(self, claim: Claim) -> bool:
        """Call the function, and report. False if the thread was abandoned meanwhile."""
        exchange = self._exchange
        # The deadline first, so that a reader that sees the claim sees its deadline, too.
        self.deadline = None if claim.timeout is None else exchange.clock.monotonic() + claim.timeout
        self.claim = claim
        # Read after that: an execution is stopped by removing it from `started` and then interrupting its slot.
        is_wanted = claim.execution_id in exchange.started
        report = exchange.call(claim) if is_wanted else None
        with self._lock:
            self.claim = self.deadline = None  # from here on nothing is raised in this thread
            if self.state.stop_reason is not None:
                return False
        self.state.output = None
        if report is not None:
            exchange.reports.append((claim, report))
            exchange.wakeup.wake()
        return True
