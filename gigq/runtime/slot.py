"""Serve a slot with a thread: take claims, call their functions, hand in reports."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import NamedTuple

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.reports import Report
from gigq.runtime.context import take
from gigq.runtime.interrupt import Target, run
from gigq.runtime.printing import Flusher
from gigq.runtime.runner import Call, Ended
from gigq.runtime.wakeup import Wakeup

_SHORT = 1.0
"""Seconds. A worker's loop looks for overdue jobs at least so often; for a shorter timeout it has to be told."""


class Exchange:
    """What the threads of a runner share: claims come in, reports go out.

    Attributes:
        new_name: returns the name of the next thread.
        started: the claims that have neither ended nor been stopped, by execution.
        serving: how many threads serve the slots, not counting those that were abandoned.
    """

    def __init__(self, call: Call, clock: Clock, slots: int, *, new_name: Callable[[], str]) -> None:
        self.new_name = new_name
        self.call = call
        self.clock = clock
        self.slots = slots
        self.serving = 0
        self.claims: SimpleQueue[Claim | None] = SimpleQueue()
        self.reports: deque[Ended] = deque()
        self.wakeup = Wakeup()
        self.flusher = Flusher()
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


class Running(NamedTuple):
    """A claim that a slot works on.

    Attributes:
        deadline: the monotonic time at which it is overdue; None for never.
        target: stops its function.
    """

    claim: Claim
    deadline: float | None
    target: Target


class Slot:
    """One thread, and the claim that it works on.

    Attributes:
        running: replaced as a whole, so that a reader that sees a claim sees its deadline, too.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.running: Running | None = None
        self.has_retired = False
        self._exchange = exchange
        self._thread = threading.Thread(target=self._serve, name=exchange.new_name(), daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _serve(self) -> None:
        exchange = self._exchange
        # Read without the lock: when the number of slots is lowered, all threads are woken afterwards.
        while exchange.serving <= exchange.slots or not exchange.retire_one():
            claim = exchange.claims.get()
            if claim is not None and not self._work_on(claim):
                return
        self.has_retired = True

    def _work_on(self, claim: Claim) -> bool:
        """Call the function, and report. False if the thread was abandoned meanwhile."""
        exchange = self._exchange
        target = Target(threading.get_ident())
        deadline = None if claim.timeout is None else exchange.clock.monotonic() + claim.timeout
        take(target.state)
        self.running = Running(claim, deadline, target)
        if claim.timeout is not None and claim.timeout < _SHORT:
            exchange.wakeup.wake()
        report = run(self._call, claim, target.state)
        self.running = None
        if target.state.stop_reason is not None:
            return False
        if report is not None:
            exchange.reports.append((claim, report))
            self._flush()
            exchange.wakeup.wake()
        return True

    def _flush(self) -> None:
        """Flush what the job has printed before its report is read, but have another thread serve if that blocks."""
        self._exchange.remove_thread()
        self._exchange.flusher.flush()
        self._exchange.add_thread()

    def _call(self, claim: Claim) -> Report | None:
        # Read when it can be stopped already: an execution is stopped by removing it from `started`, and then that way.
        return self._exchange.call(claim) if claim.execution_id in self._exchange.started else None
