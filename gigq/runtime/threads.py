"""A thread for each slot."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from queue import Empty, SimpleQueue

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.errors import JobCancelled, JobTimeout
from gigq.reports import Progress
from gigq.runtime.call import timed_out
from gigq.runtime.context import CallState, take
from gigq.runtime.interrupt import interrupt
from gigq.runtime.output import Output, with_output
from gigq.runtime.runner import Call, Ended
from gigq.runtime.wakeup import Wakeup

MOST_ABANDONED = 16
"""Threads that were told to stop and have not; with so many of them a runner has no free slot."""


class ThreadRunner:
    """Calls functions in threads of this process.

    A thread that is told to stop is abandoned: it gets an exception at its next step of Python, its report is
    dropped, and a new thread takes its slot at once, for nothing can end a thread that does not come back.

    Args:
        call: from a claim to a report.
        slots: how many functions may run at a time; may be changed.
        clock: where time comes from.
    """

    def __init__(self, call: Call, *, slots: int, clock: Clock) -> None:
        self._shared = _Shared(call, clock, slots)
        self._threads: list[_Slot] = []
        self._abandoned: list[_Slot] = []

    @property
    def slots(self) -> int:
        return self._shared.slots

    @slots.setter
    def slots(self, slots: int) -> None:
        if slots != self._shared.slots:
            self._shared.slots = slots
            self._nudge()
            self._spawn()

    @property
    def free(self) -> int:
        return 0 if self.is_stuck else max(0, self.slots - len(self._shared.started))

    @property
    def is_stuck(self) -> bool:
        self._abandoned = [slot for slot in self._abandoned if slot.is_alive()]
        return len(self._abandoned) >= MOST_ABANDONED

    @property
    def running(self) -> Collection[int]:
        return self._shared.started.keys()

    @property
    def begun(self) -> Collection[int]:
        return [claim.execution_id for slot in self._threads if (claim := slot.claim) is not None]

    @property
    def next_deadline(self) -> float | None:
        # Each is read once: a slot may end its job at any moment.
        return min((at for slot in self._threads if (at := slot.deadline) is not None), default=None)

    def progress(self) -> Mapping[int, Progress]:
        return {output.execution_id: output.progress for output in self._outputs() if output.progress is not None}

    def logs(self, executions: Collection[int]) -> Mapping[int, str]:
        wanted = [output for output in self._outputs() if output.log and output.execution_id in executions]
        return {output.execution_id: text for output in wanted if output.log and (text := output.log.text())}

    def start(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self._shared.started[claim.execution_id] = claim
            self._shared.claims.put(claim)
        self._spawn()

    def ended(self) -> list[Ended]:
        return self._reported() + self._overdue()

    def stop(self, executions: Collection[int]) -> None:
        for execution in executions:
            if self._shared.started.pop(execution, None):
                for slot in self._threads:
                    if slot.abandon(execution, JobCancelled):
                        self._replace(slot)
                        break

    def give_back(self) -> list[Claim]:
        claims = []
        try:
            while True:
                claim = self._shared.claims.get_nowait()
                if claim and self._shared.started.pop(claim.execution_id, None):
                    claims.append(claim)
        except Empty:
            self._nudge()  # for the nudges that were among them
            return claims

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        return self._shared.wakeup.wait(seconds, file=bell)

    def wake(self) -> None:
        self._shared.wakeup.wake()

    def close(self) -> None:
        self.slots = 0
        self._threads.clear()
        self._shared.wakeup.close()

    def _reported(self) -> list[Ended]:
        ended = []
        try:
            while True:
                claim, report = self._shared.reports.get_nowait()
                if self._shared.started.pop(claim.execution_id, None):
                    ended.append((claim, report))
        except Empty:
            return ended

    def _overdue(self) -> list[Ended]:
        now = self._shared.clock.monotonic()
        ended = []
        for slot in list(self._threads):
            claim, deadline = slot.claim, slot.deadline
            if claim and deadline is not None and deadline <= now and slot.abandon(claim.execution_id, JobTimeout):
                self._shared.started.pop(claim.execution_id, None)
                self._replace(slot)
                ended.append((claim, with_output(timed_out(claim), slot.state.output, claim.execution_id)))
        return ended

    def _outputs(self) -> list[Output]:
        return [output for slot in self._threads if (output := slot.state.output) is not None]

    def _replace(self, slot: _Slot) -> None:
        self._threads.remove(slot)
        self._abandoned.append(slot)
        self._shared.count_off()
        self._spawn()

    def _spawn(self) -> None:
        self._threads = [slot for slot in self._threads if not slot.has_left]
        wanted = 0 if self.is_stuck else min(self.slots, len(self._shared.started))
        while self._shared.serving < wanted:
            self._shared.count_on()
            self._threads.append(_Slot(self._shared))

    def _nudge(self) -> None:
        """Let idle threads look whether they are one too many."""
        for _ in self._threads:
            self._shared.claims.put(None)


class _Shared:
    """What the threads of a runner share: claims come in, reports go out.

    Attributes:
        serving: how many threads serve, those that were abandoned not counted.
    """

    def __init__(self, call: Call, clock: Clock, slots: int) -> None:
        self.call = call
        self.clock = clock
        self.slots = slots
        self.serving = 0
        self.claims: SimpleQueue[Claim | None] = SimpleQueue()
        self.reports: SimpleQueue[Ended] = SimpleQueue()
        self.wakeup = Wakeup()
        self.started: dict[int, Claim] = {}
        self._lock = threading.Lock()

    def count_on(self) -> None:
        """Serve with one thread more."""
        with self._lock:
            self.serving += 1

    def count_off(self) -> None:
        """Serve with one thread less."""
        with self._lock:
            self.serving -= 1

    def can_spare_one(self) -> bool:
        """Whether the thread that asks is one too many; then it is counted off."""
        with self._lock:
            is_spare = self.serving > self.slots
            self.serving -= is_spare
            return is_spare


class _Slot:
    """One thread, and the claim that it works on."""

    def __init__(self, shared: _Shared) -> None:
        self.claim: Claim | None = None
        self.deadline: float | None = None
        self.has_left = False
        self.state = CallState()
        self._shared = shared
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="gigq-slot", daemon=True)
        self._thread.start()

    def abandon(self, execution: int, reason: type[BaseException]) -> bool:
        """Raise an exception in the thread, which ends it; False if it is not, or not any more, at this execution."""
        with self._lock:
            if self.claim is None or self.claim.execution_id != execution or self.state.reason:
                return False
            self.state.reason = reason
            interrupt(self._thread.ident or 0, reason)
            return True

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _serve(self) -> None:
        take(self.state)
        try:
            while not self._leaves():
                claim = self._shared.claims.get()
                if claim and claim.execution_id in self._shared.started:  # else it was stopped before it began
                    self._begin(claim)
                    report = self._shared.call(claim)
                    if not self._end():
                        return
                    self._shared.reports.put((claim, report))
                    self._shared.wakeup.wake()
        except (JobTimeout, JobCancelled):
            pass  # abandoned just when the function had returned

    def _leaves(self) -> bool:
        self.has_left = self._shared.can_spare_one()
        return self.has_left

    def _begin(self, claim: Claim) -> None:
        with self._lock:
            self.deadline = None if claim.timeout is None else self._shared.clock.monotonic() + claim.timeout
            self.claim = claim

    def _end(self) -> bool:
        with self._lock:
            self.claim = self.deadline = None  # from here on nothing is raised in this thread any more
            if self.state.reason is not None:
                return False
            self.state.output = None
            return True
