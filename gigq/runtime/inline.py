"""Run one function here and now, in the thread that asks."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from gigq.claims import Claim
from gigq.clock import SystemClock
from gigq.errors import JobCancelled, JobTimeout
from gigq.reports import Progress, Report
from gigq.runtime.context import using
from gigq.runtime.interrupt import Enforcer, Target, run
from gigq.runtime.nudge import Nudge
from gigq.runtime.output import Log, Output, cursors_in, logs_in, progress_in, with_output
from gigq.runtime.runner import Call, Ended
from gigq.runtime.signals import handling, heeded
from gigq.runtime.verdict import timed_out

_INTERRUPTED = Report.released("given back: its worker was told to stop")


class InlineRunner:
    """Calls each function when it is started; it has ended when `start` returns.

    A function is stopped at its deadline: in the main thread even while it sleeps or waits, in another thread at its
    next step of Python code. In the main thread SIGINT, SIGTERM and SIGHUP interrupt it with `JobCancelled`, and its
    job is given back.

    Attributes:
        signal: the last signal that did so, for the caller to act on; None if there was none.
    """

    slots = 1
    is_stuck = False
    why_stuck = ""
    next_deadline: float | None = None
    running: Collection[int] = ()
    begun: Collection[int] = ()

    def __init__(self, call: Call) -> None:
        self._call = call
        self._ended: list[Ended] = []
        self._enforcer = Enforcer()
        self._target: Target | None = None
        self.signal: int | None = None

    @property
    def free(self) -> int:
        return 1

    def progress(self) -> Mapping[int, Progress]:
        """As for any runner; another thread may ask while a function runs."""
        return progress_in(self._outputs())

    def cursors(self) -> Mapping[int, str]:
        """Likewise."""
        return cursors_in(self._outputs())

    def logs(self) -> Mapping[int, Log]:
        """Likewise."""
        return logs_in(self._outputs())

    def start(self, claims: Sequence[Claim]) -> None:
        self._ended += [(claim, self._report(claim)) for claim in claims]

    def ended(self) -> list[Ended]:
        ended, self._ended = self._ended, []
        return ended

    def stop(self, executions: Collection[int]) -> None:
        """Nothing is running when this can be called."""

    def give_back(self) -> list[Claim]:
        """Nothing waits for a slot."""
        return []

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        """Nothing is running when this can be called."""
        return False

    def wake(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """There is nothing to close."""

    def _outputs(self) -> list[Output]:
        output = None if self._target is None else self._target.state.output
        return [] if output is None else [output]

    def _report(self, claim: Claim) -> Report:
        target = self._target = _target_of(claim)
        state = target.state
        with using(state), handling(heeded(), self._interrupt), _nudged(target):
            self._enforcer.watch(target)
            report = run(self._call, claim, state)
        if state.stop_reason is JobTimeout:
            report = timed_out(claim, stack=target.stack)
        report = report or _INTERRUPTED
        if report.started_at is None:
            report = report._replace(started_at=state.started_at)
        output, state.output = state.output, None
        return with_output(report, output, claim.execution_id)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        target = self._target
        if target is None or target.state.has_ended:
            return
        target.state.stop_reason = target.state.stop_reason or JobCancelled
        self._enforcer.wake()
        if target.state.is_running:
            raise JobCancelled


def _target_of(claim: Claim) -> Target:
    deadline = None if claim.timeout is None else SystemClock().monotonic() + claim.timeout
    return Target(threading.get_ident(), deadline=deadline)


@contextmanager
def _nudged(target: Target) -> Iterator[None]:
    """In the main thread, stop the function even while it sleeps or waits."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    nudge = Nudge(target.state)
    target.strike = nudge.strike
    with nudge.listening():
        yield
