"""A thread for each slot."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from queue import Empty, SimpleQueue

from gigq.clock import Clock
from gigq.errors import JobCancelled, JobTimeout
from gigq.records import Claim, Progress
from gigq.runtime.call import timed_out
from gigq.runtime.context import Seat, take
from gigq.runtime.interrupt import interrupt
from gigq.runtime.output import Trail, marked
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
        self._desk = _Desk(call, clock, slots)
        self._threads: list[_Slot] = []
        self._abandoned: list[_Slot] = []

    @property
    def slots(self) -> int:
        return self._desk.slots

    @slots.setter
    def slots(self, slots: int) -> None:
        if slots != self._desk.slots:
            self._desk.slots = slots
            self._nudge()
            self._hire()

    @property
    def free(self) -> int:
        return 0 if self.is_stuck else max(0, self.slots - len(self._desk.started))

    @property
    def is_stuck(self) -> bool:
        self._abandoned = [slot for slot in self._abandoned if slot.is_alive()]
        return len(self._abandoned) >= MOST_ABANDONED

    @property
    def running(self) -> Collection[int]:
        return self._desk.started.keys()

    @property
    def begun(self) -> Collection[int]:
        return [claim.execution_id for slot in self._threads if (claim := slot.claim) is not None]

    @property
    def next_deadline(self) -> float | None:
        # Each is read once: a slot may end its job at any moment.
        return min((at for slot in self._threads if (at := slot.deadline) is not None), default=None)

    def progress(self) -> Mapping[int, Progress]:
        return {trail.execution_id: trail.progress for trail in self._trails() if trail.progress is not None}

    def logs(self, executions: Collection[int]) -> Mapping[int, str]:
        wanted = [trail for trail in self._trails() if trail.log and trail.execution_id in executions]
        return {trail.execution_id: text for trail in wanted if trail.log and (text := trail.log.text())}

    def start(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self._desk.started[claim.execution_id] = claim
            self._desk.claims.put(claim)
        self._hire()

    def ended(self) -> list[Ended]:
        return self._reported() + self._overdue()

    def stop(self, executions: Collection[int]) -> None:
        for execution in executions:
            if self._desk.started.pop(execution, None):
                for slot in self._threads:
                    if slot.abandon(execution, JobCancelled):
                        self._replace(slot)
                        break

    def give_back(self) -> list[Claim]:
        claims = []
        try:
            while True:
                claim = self._desk.claims.get_nowait()
                if claim and self._desk.started.pop(claim.execution_id, None):
                    claims.append(claim)
        except Empty:
            self._nudge()  # for the nudges that were among them
            return claims

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        return self._desk.wakeup.wait(seconds, file=bell)

    def wake(self) -> None:
        self._desk.wakeup.wake()

    def close(self) -> None:
        self.slots = 0
        self._threads.clear()
        self._desk.wakeup.close()

    def _reported(self) -> list[Ended]:
        ended = []
        try:
            while True:
                claim, report = self._desk.reports.get_nowait()
                if self._desk.started.pop(claim.execution_id, None):
                    ended.append((claim, report))
        except Empty:
            return ended

    def _overdue(self) -> list[Ended]:
        now = self._desk.clock.monotonic()
        ended = []
        for slot in list(self._threads):
            claim, deadline = slot.claim, slot.deadline
            if claim and deadline is not None and deadline <= now and slot.abandon(claim.execution_id, JobTimeout):
                self._desk.started.pop(claim.execution_id, None)
                self._replace(slot)
                ended.append((claim, marked(timed_out(claim), slot.seat.trail, claim.execution_id)))
        return ended

    def _trails(self) -> list[Trail]:
        return [trail for slot in self._threads if (trail := slot.seat.trail) is not None]

    def _replace(self, slot: _Slot) -> None:
        self._threads.remove(slot)
        self._abandoned.append(slot)
        self._desk.count_off()
        self._hire()

    def _hire(self) -> None:
        self._threads = [slot for slot in self._threads if not slot.has_left]
        wanted = 0 if self.is_stuck else min(self.slots, len(self._desk.started))
        while self._desk.staff < wanted:
            self._desk.count_on()
            self._threads.append(_Slot(self._desk))

    def _nudge(self) -> None:
        """Let idle threads look whether they are one too many."""
        for _ in self._threads:
            self._desk.claims.put(None)


class _Desk:
    """What the threads of a runner share: claims come in, reports go out.

    Attributes:
        staff: how many threads serve, those that were abandoned not counted.
    """

    def __init__(self, call: Call, clock: Clock, slots: int) -> None:
        self.call = call
        self.clock = clock
        self.slots = slots
        self.staff = 0
        self.claims: SimpleQueue[Claim | None] = SimpleQueue()
        self.reports: SimpleQueue[Ended] = SimpleQueue()
        self.wakeup = Wakeup()
        self.started: dict[int, Claim] = {}
        self._lock = threading.Lock()

    def count_on(self) -> None:
        """Serve with one thread more."""
        with self._lock:
            self.staff += 1

    def count_off(self) -> None:
        """Serve with one thread less."""
        with self._lock:
            self.staff -= 1

    def can_spare_one(self) -> bool:
        """Whether the thread that asks is one too many; then it is counted off."""
        with self._lock:
            is_spare = self.staff > self.slots
            self.staff -= is_spare
            return is_spare


class _Slot:
    """One thread, and the claim that it works on."""

    def __init__(self, desk: _Desk) -> None:
        self.claim: Claim | None = None
        self.deadline: float | None = None
        self.has_left = False
        self.seat = Seat()
        self._desk = desk
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="gigq-slot", daemon=True)
        self._thread.start()

    def abandon(self, execution: int, reason: type[BaseException]) -> bool:
        """Raise an exception in the thread, which ends it; False if it is not, or not any more, at this execution."""
        with self._lock:
            if self.claim is None or self.claim.execution_id != execution or self.seat.reason:
                return False
            self.seat.reason = reason
            interrupt(self._thread.ident or 0, reason)
            return True

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _serve(self) -> None:
        take(self.seat)
        try:
            while not self._leaves():
                claim = self._desk.claims.get()
                if claim and claim.execution_id in self._desk.started:  # else it was stopped before it began
                    self._begin(claim)
                    report = self._desk.call(claim)
                    if not self._end():
                        return
                    self._desk.reports.put((claim, report))
                    self._desk.wakeup.wake()
        except (JobTimeout, JobCancelled):
            pass  # abandoned just when the function had returned

    def _leaves(self) -> bool:
        self.has_left = self._desk.can_spare_one()
        return self.has_left

    def _begin(self, claim: Claim) -> None:
        with self._lock:
            self.deadline = None if claim.timeout is None else self._desk.clock.monotonic() + claim.timeout
            self.claim = claim

    def _end(self) -> bool:
        with self._lock:
            self.claim = self.deadline = None  # from here on nothing is raised in this thread any more
            if self.seat.reason is not None:
                return False
            self.seat.trail = None
            return True
