"""A runner whose slots begin and end executions when the test says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from gigq import ManualClock
from gigq.claims import Claim
from gigq.clock import to_text
from gigq.reports import Progress, Report
from gigq.runtime.output import Log
from gigq.runtime.runner import Ended
from gigq.runtime.verdict import timed_out

LONGEST_WAIT = 1.0
"""Seconds after which a job that waits for a slot may be given back."""


class Held:
    """An execution that the runner has, and how far it is."""

    def __init__(self, claim: Claim, at: float) -> None:
        self.claim = claim
        self.since = at
        self.begun_at: float | None = None
        self.report: Report | None = None
        self.progress: Progress | None = None
        self.cursor: str | None = None
        self.log = Log()

    @property
    def waits(self) -> bool:
        return self.begun_at is None

    @property
    def is_running(self) -> bool:
        return self.begun_at is not None and self.report is None


class Search(NamedTuple):
    """The last search for a function that is missing: the pause after it, and when that ends."""

    pause: float
    next_at: float


class SteppedRunner:
    """Slots without threads or processes. It is a runner for the loop, and has more methods for the test.

    Args:
        keeps_reports: whether an execution stays among the running ones until its report is collected, as in threads;
            of child processes it does not.

    Attributes:
        may_give_back: what makes it right to give back all that waits; set by the test.
        lacks: the functions that it does not find; set by the test.
        faults: what the loop has asked of it that it should not have.
        stopped: what executions had logged that were stopped while their functions ran.
    """

    def __init__(self, clock: ManualClock, *, slots: int, keeps_reports: bool) -> None:
        self.slots = slots
        self.is_stuck, self.why_stuck = False, "stuck"
        self.may_give_back = False
        self.lacks: set[str] = set()
        self.faults: list[str] = []
        self.stopped: dict[int, str | None] = {}
        self.last_wait = 0.0
        self._clock = clock
        self._keeps_reports = keeps_reports
        self._held: dict[int, Held] = {}
        self._reports: list[Ended] = []
        self._searches: dict[str, Search] = {}
        self._has_missed = False

    # for the loop

    @property
    def free(self) -> int:
        return 0 if self.is_stuck else max(0, self.slots - len(self._held))

    @property
    def running(self) -> Collection[int]:
        return self._held.keys()

    @property
    def begun(self) -> Collection[int]:
        return [execution for execution, held in self._held.items() if held.is_running]

    @property
    def next_deadline(self) -> float | None:
        return min((at for held in self._held.values() if (at := _deadline(held)) is not None), default=None)

    def progress(self) -> Mapping[int, Progress]:
        return {each: held.progress for each, held in self._held.items() if held.is_running and held.progress}

    def cursors(self) -> Mapping[int, str]:
        return {each: held.cursor for each, held in self._held.items() if held.is_running and held.cursor}

    def logs(self) -> Mapping[int, Log]:
        return {each: held.log for each, held in self._held.items() if held.is_running}

    def start(self, claims: Sequence[Claim]) -> None:
        self._judge_searches(claims)
        for claim in claims:
            if claim.execution_id in self._held:
                self.faults.append(f"{claim.job_id} was started twice")
            self._held[claim.execution_id] = Held(claim, self._clock.monotonic())
        if len(self._held) > 1 and any(held.claim.must_run_alone for held in self._held.values()):
            self.faults.append("a suspect that must run alone was started with other jobs")

    def ended(self) -> list[Ended]:
        for execution, held in list(self._held.items()):
            deadline = _deadline(held)
            if held.report is not None:
                self._report(execution)
            elif deadline is not None and deadline <= self._clock.monotonic():
                held.report = timed_out(held.claim)._replace(started_at=self._began(held))
                self._report(execution)
        reports, self._reports = self._reports, []
        self._has_missed = any(report.is_missing for _, report in reports)
        for claim, report in reports:
            self._note_search(claim.function, report)
        return reports

    def stop(self, executions: Collection[int]) -> None:
        for each in executions:
            held = self._held.pop(each, None)
            if held is not None and held.is_running:
                self.stopped[each] = held.log.text()
        self._reports = [(claim, report) for claim, report in self._reports if claim.execution_id not in executions]

    def give_back(self) -> list[Claim]:
        waiting = [held for held in self._held.values() if held.waits]
        longest = max((self._clock.monotonic() - held.since for held in waiting), default=0.0)
        if waiting and not (self.may_give_back or self._has_missed or longest >= LONGEST_WAIT):
            self.faults.append(f"{len(waiting)} jobs were given back, and none had waited longer than {longest:g} s")
        for held in waiting:
            del self._held[held.claim.execution_id]
        return [held.claim for held in waiting]

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        self.last_wait = seconds
        return False

    def wake(self) -> None:
        """The loop never really waits."""

    def close(self) -> None:
        """There is nothing to close."""

    # for the test

    @property
    def held(self) -> Mapping[int, Held]:
        return self._held

    @property
    def uncollected(self) -> list[Ended]:
        return self._reports

    def fill(self) -> None:
        """Let free slots begin what waits, in the order in which it was started."""
        while waiting := [held for held in self._held.values() if held.waits]:
            if sum(held.is_running for held in self._held.values()) >= self.slots:
                return
            waiting[0].begun_at = self._clock.monotonic()
            waiting[0].log.write("it began")
            if waiting[0].claim.function in self.lacks:
                missing = Report.not_found("no such module", error_type="ModuleNotFoundError")
                self.end(waiting[0].claim.execution_id, missing)

    def end(self, execution: int, report: Report) -> None:
        """Let a running execution end."""
        held = self._held[execution]
        held.report = report._replace(started_at=self._began(held), progress=held.progress)
        if not self._keeps_reports:
            self._report(execution)

    def _judge_searches(self, claims: Sequence[Claim]) -> None:
        """See that no function is called that is missing, but for one call at a time after each pause."""
        held = {each.claim.function for each in self._held.values()}
        called = Counter(claim.function for claim in claims)
        for function, search in self._searches.items():
            may_look = self._clock.monotonic() >= search.next_at and function not in held
            if called[function] > may_look:
                self.faults.append(f"{called[function]} jobs of {function} were started, which is missing")

    def _note_search(self, function: str, report: Report) -> None:
        now, before = self._clock.monotonic(), self._searches.get(function)
        if report.is_missing and (before is None or now >= before.next_at):
            pause = min(300.0, 2 * before.pause) if before else 1.0
            self._searches[function] = Search(pause, now + pause)
        elif report.status in ("completed", "failed", "timeout"):
            self._searches.pop(function, None)

    def _report(self, execution: int) -> None:
        held = self._held.pop(execution)
        assert held.report is not None
        self._reports.append((held.claim, held.report))

    def _began(self, held: Held) -> str:
        assert held.begun_at is not None
        return to_text(self._clock.now() - timedelta(seconds=self._clock.monotonic() - held.begun_at))


def _deadline(held: Held) -> float | None:
    if not held.is_running or held.begun_at is None or held.claim.timeout is None:
        return None
    return held.begun_at + held.claim.timeout
