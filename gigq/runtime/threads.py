"""Run functions in threads, one for each slot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from queue import Empty

from gigq.claims import Claim
from gigq.clock import Clock, SystemClock, to_text
from gigq.errors import JobCancelled, JobTimeout
from gigq.reports import Progress
from gigq.runtime.output import Output, with_output
from gigq.runtime.runner import Call, Ended
from gigq.runtime.slot import Exchange, Slot
from gigq.runtime.verdict import timed_out

MAX_ABANDONED = 16
"""Threads whose function was stopped and has not returned. A runner with this many has no free slot."""

_HANDOVER = 0.00005
"""Seconds for which the loop's thread releases the GIL when it has a claim for an idle slot, so that the function is
called at once; otherwise it would be called only when the loop waits next."""


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
        self._exchange = Exchange(call, clock, slots)
        self._threads: list[Slot] = []
        self._abandoned: list[Slot] = []

    @property
    def slots(self) -> int:
        return self._exchange.slots

    @slots.setter
    def slots(self, slots: int) -> None:
        if slots != self._exchange.slots:
            self._exchange.slots = slots
            self._wake_idle()
            self._spawn()

    @property
    def free(self) -> int:
        return 0 if self.is_stuck else max(0, self.slots - len(self._exchange.started))

    @property
    def is_stuck(self) -> bool:
        self._abandoned = [slot for slot in self._abandoned if slot.is_alive()]
        return len(self._abandoned) >= MAX_ABANDONED

    @property
    def running(self) -> Collection[int]:
        return self._exchange.started.keys()

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
        started, put = self._exchange.started, self._exchange.claims.put
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
            if self._exchange.started.pop(execution, None):
                for slot in self._threads:
                    if slot.abandon(execution, JobCancelled):
                        self._replace(slot)
                        break

    def give_back(self) -> list[Claim]:
        claims = []
        try:
            while True:
                claim = self._exchange.claims.get_nowait()
                if claim and self._exchange.started.pop(claim.execution_id, None):
                    claims.append(claim)
        except Empty:
            self._wake_idle()  # again, because what was removed may have included such wake-ups
            return claims

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        return self._exchange.wakeup.wait(seconds, file=bell)

    def wake(self) -> None:
        self._exchange.wakeup.wake()

    def close(self) -> None:
        self.slots = 0
        self._threads.clear()
        self._exchange.wakeup.close()

    def _reported(self) -> list[Ended]:
        reports, started = self._exchange.reports, self._exchange.started
        ended = []
        while reports:
            each = reports.popleft()
            if started.pop(each[0].execution_id, None):
                ended.append(each)
        return ended

    def _overdue(self) -> list[Ended]:
        now = self._exchange.clock.monotonic()
        ended = []
        for slot in list(self._threads):
            claim, deadline = slot.claim, slot.deadline
            if claim and deadline is not None and deadline <= now and slot.abandon(claim.execution_id, JobTimeout):
                self._exchange.started.pop(claim.execution_id, None)
                self._replace(slot)
                report = timed_out(claim)._replace(started_at=self._began_at(deadline - (claim.timeout or 0.0)))
                ended.append((claim, with_output(report, slot.state.output, claim.execution_id)))
        return ended

    def _began_at(self, monotonic: float) -> str:
        """When something began, as the file holds it: the file may not have heard of that yet."""
        clock = self._exchange.clock
        return to_text(clock.now() - timedelta(seconds=clock.monotonic() - monotonic))

    def _outputs(self) -> list[Output]:
        return [output for slot in self._threads if (output := slot.state.output) is not None]

    def _replace(self, slot: Slot) -> None:
        self._threads.remove(slot)
        self._abandoned.append(slot)
        self._exchange.remove_thread()
        self._spawn()

    def _spawn(self) -> None:
        self._threads = [slot for slot in self._threads if not slot.has_retired]
        wanted = 0 if self.is_stuck else min(self.slots, len(self._exchange.started))
        while self._exchange.serving < wanted:
            self._exchange.add_thread()
            self._threads.append(Slot(self._exchange))

    def _wake_idle(self) -> None:
        """Let each idle thread check whether it is surplus."""
        for _ in self._threads:
            self._exchange.claims.put(None)
