"""Run functions in threads, one for each slot."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from queue import Empty, SimpleQueue

from gigq.claims import Claim
from gigq.clock import Clock, SystemClock
from gigq.errors import JobCancelled, JobTimeout
from gigq.reports import Progress
from gigq.runtime.call import timed_out
from gigq.runtime.context import CallState, take
from gigq.runtime.interrupt import interrupt
from gigq.runtime.output import Output, with_output
from gigq.runtime.runner import Call, Ended
from gigq.runtime.wakeup import Wakeup

MAX_ABANDONED = 16
"""Threads whose function was stopped and has not returned. A runner with this many has no free slot."""

_HANDOVER = 0.00005
"""Seconds for which the loop's thread releases the GIL when it has a claim for an idle slot, so that the function is
called at once: otherwise it would wait for all that the loop does until its next wait."""


class ThreadRunner:
    """Calls functions in threads of this process.

    A thread whose function is stopped is abandoned: it gets an exception at its next step of Python code, its report is
    dropped, and a new thread takes its slot at once, because nothing can end a thread whose function does not return.

    Args:
        call: turns a claim into a report.
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
            self._wake_idle()
            self._spawn()

    @property
    def free(self) -> int:
        return 0 if self.is_stuck else max(0, self.slots - len(self._shared.started))

    @property
    def is_stuck(self) -> bool:
        self._abandoned = [slot for slot in self._abandoned if slot.is_alive()]
        return len(self._abandoned) >= MAX_ABANDONED

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
        started, put = self._shared.started, self._shared.claims.put
        is_one_idle = len(started) < len(self._threads)
        for claim in claims:
            started[claim.execution_id] = claim
            put(claim)
        self._spawn()
        if is_one_idle:
            SystemClock().sleep(_HANDOVER)

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
            self._wake_idle()  # some of what was taken out may have been meant to do that
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
        reports, started = self._shared.reports, self._shared.started
        ended = []
        while reports:
            each = reports.popleft()
            if started.pop(each[0].execution_id, None):
                ended.append(each)
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
        self._shared.remove_thread()
        self._spawn()

    def _spawn(self) -> None:
        self._threads = [slot for slot in self._threads if not slot.has_retired]
        wanted = 0 if self.is_stuck else min(self.slots, len(self._shared.started))
        while self._shared.serving < wanted:
            self._shared.add_thread()
            self._threads.append(_Slot(self._shared))

    def _wake_idle(self) -> None:
        """Let each idle thread check whether it is surplus."""
        for _ in self._threads:
            self._shared.claims.put(None)


class _Shared:
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


class _Slot:
    """One thread, and the claim that it works on."""

    def __init__(self, shared: _Shared) -> None:
        self.claim: Claim | None = None
        self.deadline: float | None = None
        self.has_retired = False
        self.state = CallState()
        self._shared = shared
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
        shared = self._shared
        try:
            # Looked at without the lock: whoever lowers the number of slots wakes all threads afterwards.
            while shared.serving <= shared.slots or not shared.retire_one():
                claim = shared.claims.get()
                if claim is not None and not self._work_on(claim):
                    return
            self.has_retired = True
        except (JobTimeout, JobCancelled):
            pass  # abandoned just after the function had returned

    def _work_on(self, claim: Claim) -> bool:
        """Call the function, and report. False if the thread was abandoned meanwhile."""
        shared = self._shared
        # The deadline first: who sees the claim sees also its deadline.
        self.deadline = None if claim.timeout is None else shared.clock.monotonic() + claim.timeout
        self.claim = claim
        # Looked at after that: an execution is stopped by taking it from here, and then interrupting its slot.
        is_wanted = claim.execution_id in shared.started
        report = shared.call(claim) if is_wanted else None
        with self._lock:
            self.claim = self.deadline = None  # from here on nothing is raised in this thread
            if self.state.stop_reason is not None:
                return False
        self.state.output = None
        if report is not None:
            shared.reports.append((claim, report))
            shared.wakeup.wake()
        return True
