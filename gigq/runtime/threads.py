"""Run functions in threads, one for each slot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from itertools import count
from queue import Empty

from gigq.claims import Claim
from gigq.clock import Clock, SystemClock, to_text
from gigq.errors import JobCancelled, JobTimeout
from gigq.reports import Progress
from gigq.runtime.interrupt import Enforcer
from gigq.runtime.output import Log, Output, cursors_in, logs_in, progress_in, with_output
from gigq.runtime.runner import Call, Ended
from gigq.runtime.slot import Exchange, Running, Slot
from gigq.runtime.verdict import timed_out

MAX_ABANDONED = 16
"""Threads whose function was stopped and has not returned. A runner with this many has no free slot."""

_HANDOVER = 0.00005
"""Seconds for which the loop's thread releases the GIL when it has a claim for an idle slot, so that the function is
called at once; otherwise it would be called only when the loop waits next."""


class ThreadRunner:
    """Calls functions in threads of this process.

    A thread whose function is stopped is abandoned: it gets an exception at its next step of Python code, and again as
    long as its function goes on; its report is dropped, and a new thread takes its slot at once, because nothing can
    end a thread whose function does not return.

    Args:
        call: turns a claim into a report.
        slots: how many functions may run at a time; may be changed.
        clock: where time comes from.
        name: how the names of the threads begin, before their numbers; None for the usual name.
        hires_all: start all threads at once: when the interpreter ends, none can be started any more.
    """

    def __init__(
        self, call: Call, *, slots: int, clock: Clock, name: str | None = None, hires_all: bool = False
    ) -> None:
        numbers = count()
        new_name = (lambda: "gigq-slot") if name is None else (lambda: f"{name}_{next(numbers)}")
        self._exchange = Exchange(call, clock, slots, new_name=new_name)
        self._hires_all = hires_all
        self._threads: list[Slot] = []
        self._abandoned: list[Slot] = []
        self._enforcer = Enforcer()
        self._spawn()

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

    why_stuck = "too many threads have not returned from jobs that were stopped"

    @property
    def is_stuck(self) -> bool:
        self._abandoned = [slot for slot in self._abandoned if slot.is_alive()]
        return len(self._abandoned) >= MAX_ABANDONED

    @property
    def running(self) -> Collection[int]:
        return self._exchange.started.keys()

    @property
    def begun(self) -> Collection[int]:
        return [running.claim.execution_id for running in self._at_work()]

    @property
    def next_deadline(self) -> float | None:
        return min((running.deadline for running in self._at_work() if running.deadline is not None), default=None)

    def progress(self) -> Mapping[int, Progress]:
        return progress_in(self._outputs())

    def cursors(self) -> Mapping[int, str]:
        return cursors_in(self._outputs())

    def logs(self) -> Mapping[int, Log]:
        return logs_in(self._outputs())

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
        unwanted = {execution for execution in executions if self._exchange.started.pop(execution, None)}
        for slot in list(self._threads):
            running = slot.running
            if running is not None and running.claim.execution_id in unwanted:
                self._abandon(slot, running, JobCancelled)

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
            running = slot.running
            deadline = None if running is None else running.deadline
            if running and deadline is not None and deadline <= now and self._abandon(slot, running, JobTimeout):
                ended.append(self._timed_out(running, deadline))
        return ended

    def _timed_out(self, running: Running, deadline: float) -> Ended:
        claim, target, clock = running.claim, running.target, self._exchange.clock
        self._exchange.started.pop(claim.execution_id, None)
        # The file may not have heard of its start yet.
        took = clock.monotonic() - (deadline - (claim.timeout or 0.0))
        report = timed_out(claim, stack=target.stack)
        report = report._replace(started_at=to_text(clock.now() - timedelta(seconds=took)))
        return claim, with_output(report, target.state.output, claim.execution_id)

    def _at_work(self) -> list[Running]:
        # Each is read once: a slot may end its job at any moment.
        return [running for slot in self._threads if (running := slot.running) is not None]

    def _outputs(self) -> list[Output]:
        return [output for running in self._at_work() if (output := running.target.state.output) is not None]

    def _abandon(self, slot: Slot, running: Running, reason: type[BaseException]) -> bool:
        """Stop a function, and have a new thread take its slot. False if the function has ended."""
        if not running.target.stop(reason):
            return False
        self._enforcer.watch(running.target)
        self._threads.remove(slot)
        self._abandoned.append(slot)
        self._exchange.remove_thread()
        self._spawn()
        return True

    def _spawn(self) -> None:
        self._threads = [slot for slot in self._threads if not slot.has_retired]
        wanted = 0 if self.is_stuck else self.slots if self._hires_all else min(self.slots, len(self._exchange.started))
        while self._exchange.serving < wanted:
            self._exchange.add_thread()
            self._threads.append(Slot(self._exchange))

    def _wake_idle(self) -> None:
        """Let each idle thread check whether it is surplus."""
        for _ in self._threads:
            self._exchange.claims.put(None)
