"""Run one function here and now, in the thread that asks."""

from __future__ import annotations

import signal
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from gigq.claims import Claim
from gigq.clock import SystemClock
from gigq.errors import JobCancelled, JobTimeout
from gigq.reports import Progress, Report
from gigq.runtime.context import CallState, using
from gigq.runtime.interrupt import interrupt
from gigq.runtime.output import with_output
from gigq.runtime.runner import Call, Ended
from gigq.runtime.signals import handling, heeded
from gigq.runtime.verdict import timed_out

_INTERRUPTED = Report.released("given back: its worker was told to stop")


class InlineRunner:
    """Calls each function when it is started; it has ended when `start` returns.

    In the main thread SIGINT, SIGTERM and SIGHUP interrupt the function with `JobCancelled`, and its job is given back.

    Attributes:
        signal: the last signal that did so, for the caller to act on; None if there was none.
    """

    slots = 1
    is_stuck = False
    next_deadline: float | None = None
    running: Collection[int] = ()
    begun: Collection[int] = ()

    def __init__(self, call: Call) -> None:
        self._call = call
        self._state = CallState()
        self._ended: list[Ended] = []
        self._is_calling = self._is_interrupted = False
        self.signal: int | None = None

    @property
    def free(self) -> int:
        return 1

    def progress(self) -> Mapping[int, Progress]:
        """As for any runner; another thread may ask while a function runs."""
        output = self._state.output
        return {} if output is None or output.progress is None else {output.execution_id: output.progress}

    def logs(self, executions: Collection[int]) -> Mapping[int, str]:
        """Nothing is running when this can be called."""
        return {}

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

    def _report(self, claim: Claim) -> Report:
        report = _INTERRUPTED
        self._is_calling, self._is_interrupted = True, False
        with using(self._state), suppress(JobCancelled), handling(heeded(), self._interrupt):
            report = call_here(claim, self._call)
            self._is_calling = False
        report = with_output(_INTERRUPTED if self._is_interrupted else report, self._state.output, claim.execution_id)
        self._state.output = None
        return report

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        if self._is_calling:
            self._is_interrupted = True
            raise JobCancelled


def call_here(claim: Claim, call: Call) -> Report:
    """Call a job's function in this thread, and raise `JobTimeout` inside it at its deadline.

    In the main thread on Unix SIGALRM does that, which also ends a sleep; elsewhere it happens at the thread's next
    step of Python code.
    """
    alarm = _Alarm(threading.get_ident())
    try:
        with alarm.set(claim.timeout):
            report = call(claim)
    except JobTimeout:
        pass  # it was raised after the function had returned
    return timed_out(claim) if alarm.has_rung else report


class _Alarm:
    """Raises `JobTimeout` in one thread, at most once."""

    def __init__(self, thread_id: int) -> None:
        self._thread_id = thread_id
        self._lock = threading.Lock()
        self._is_off = False
        self.has_rung = False

    @contextmanager
    def set(self, seconds: float | None) -> Iterator[None]:
        if seconds is None or seconds > threading.TIMEOUT_MAX:
            yield
        elif hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            with self._by_signal(seconds):
                yield
        else:
            with self._by_timer(seconds):
                yield

    @contextmanager
    def _by_signal(self, seconds: float) -> Iterator[None]:
        def ring(number: int, frame: FrameType | None) -> None:
            self.has_rung = True
            raise JobTimeout

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    @contextmanager
    def _by_timer(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._ring)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            with self._lock:
                self._is_off = True
            timer.cancel()
            if self.has_rung:
                # If it has not been raised yet, it is raised here. CPython 3.11 may forget it for a while, until the
                # thread acquires the GIL again; cancelling it would leave a mark that makes a traced thread spin.
                SystemClock().sleep(0)

    def _ring(self) -> None:
        with self._lock:
            if not self._is_off:
                self.has_rung = True
                interrupt(self._thread_id, JobTimeout)
