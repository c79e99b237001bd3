"""Stop a function in the thread that runs it: raise an exception there, and again until the function has ended."""

from __future__ import annotations

import ctypes
import math
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from traceback import FrameSummary, StackSummary, walk_stack
from typing import Any

from gigq.claims import Claim
from gigq.clock import SystemClock
from gigq.errors import JobCancelled, JobTimeout
from gigq.reports import Report
from gigq.runtime.call_state import CallState
from gigq.runtime.frames import exception_of, frame_of

PAUSE = 0.05
"""Seconds until the exception is raised again in a function that goes on."""

GRACE = 2.0
"""Seconds for which a function may handle the exception, in ``except``, ``finally`` or ``with``, before the next one.
A child process has as long from SIGTERM to SIGKILL."""

_LONGEST_SLEEP = 3600.0
_IDLE = 1.0
_CLOCK = SystemClock()

Strike = Callable[[type[BaseException]], None]


def interrupt(thread_id: int, exception: type[BaseException]) -> None:
    """Raise an exception in a thread, at its next step of Python code.

    A call into C is not interrupted, but an event loop of asyncio that waits for something is woken.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(exception))
    loop = _event_loop_in(thread_id)
    if loop is not None:
        with suppress(Exception):  # it was closed meanwhile, or is one of the user's own making
            loop.call_soon_threadsafe(_make_a_step)


def _event_loop_in(thread_id: int) -> Any:
    """Return the event loop of asyncio that runs in a thread, or None."""
    frame = frame_of(thread_id) if "asyncio" in sys.modules else None
    while frame is not None:
        if frame.f_code.co_name == "run_forever" and frame.f_globals.get("__name__") == "asyncio.base_events":
            return frame.f_locals["self"]
        frame = frame.f_back
    return None


def _make_a_step() -> None:
    pass


def run(call: Callable[[Claim], Report | None], claim: Claim, state: CallState) -> Report | None:
    """Call a function, and return its report, or None if it was stopped.

    Once this has returned, nothing more is raised in this thread. There is no step between the return of `call` and the
    next assignment at which Python would raise an exception from outside; and who wants to raise one looks at
    `is_running` after it has set `is_aimed_at`. So at most one is still to come, and it is waited for.
    """
    report = None
    try:
        state.is_running = True
        if state.stop_reason is None:
            report = call(claim)
        state.is_running = False
        _await_the_last(state)
    except (JobTimeout, JobCancelled):
        state.is_running = False
        try:  # noqa: SIM105  # it could be raised inside `suppress`
            _await_the_last(state)
        except (JobTimeout, JobCancelled):
            pass
    finally:
        state.is_running, state.has_ended = False, True
    return report if state.stop_reason is None else None


def _await_the_last(state: CallState) -> None:
    while state.is_aimed_at:
        _CLOCK.sleep(0)
    if state.stop_reason is not None:
        # If an exception has not been raised yet, it is raised here. CPython 3.11 may forget it for a while, until the
        # thread acquires the GIL again; cancelling it would leave a mark that makes a traced thread spin.
        _CLOCK.sleep(0)


def _stack_of(thread_id: int) -> Sequence[FrameSummary]:
    frame = frame_of(thread_id)
    # Without the lines of the source, which are read later: they may have to come from the disk.
    stack = StackSummary.extract(walk_stack(frame), lookup_lines=False) if frame else StackSummary()
    stack.reverse()
    return stack


def _is_a_stop(error: BaseException | None) -> bool:
    """Whether this is, or was raised while handling, an exception that stops a job."""
    for _ in range(20):
        if error is None or isinstance(error, (JobTimeout, JobCancelled)):
            break
        error = error.__context__
    return isinstance(error, (JobTimeout, JobCancelled))


class Target:
    """A function that runs in another thread, and is to be stopped at a deadline or when `stop` is called.

    Args:
        thread_id: where it runs, or will.
        deadline: the monotonic time at which `look` stops it; None for never, which is kept as infinite.
        grace: as `GRACE`.

    Attributes:
        state: what the function's thread knows of this.
        strike: raises an exception there. May be replaced before the function is called.
        stack: where the function stood when it was stopped; empty before.
    """

    def __init__(self, thread_id: int, *, deadline: float | None = None, grace: float = GRACE) -> None:
        self.state = CallState()
        self.strike: Strike = partial(interrupt, thread_id)
        self.stack: Sequence[FrameSummary] = ()
        self._thread_id = thread_id
        self.deadline = math.inf if deadline is None else deadline
        self._grace = grace
        self._struck_at = 0.0

    def stop(self, reason: type[BaseException]) -> bool:
        """Raise an exception in the function. False if it does not run, or is being stopped already."""
        state = self.state
        state.is_aimed_at = True
        try:
            if not state.is_running or state.stop_reason is not None:
                return False
            state.stop_reason = reason
            if state.output is not None and state.output.run is not None:
                state.output.run.stop()
            with suppress(Exception):  # whatever there is to see: the function must be stopped
                self.stack = _stack_of(self._thread_id)
            self._raise(reason)
            return True
        finally:
            state.is_aimed_at = False

    def look(self, pause: float = PAUSE) -> float | None:
        """Stop the function if it is time to, or raise the exception again if the function goes on.

        Return the number of seconds until the next look, or None if the function has ended.
        """
        state = self.state
        if state.has_ended:
            return None
        if state.stop_reason is None:
            left = self.deadline - _CLOCK.monotonic()
            if left > 0:
                return min(left, _LONGEST_SLEEP)
            self.stop(JobTimeout)
        elif (waited := _CLOCK.monotonic() - self._struck_at) < pause:
            return pause - waited
        elif not self._is_cleaning_up():
            self._raise_again(state.stop_reason)
        return pause

    def _raise_again(self, reason: type[BaseException]) -> None:
        self.state.is_aimed_at = True
        try:
            if self.state.is_running:
                self._raise(reason)
        finally:
            self.state.is_aimed_at = False

    def _raise(self, reason: type[BaseException]) -> None:
        self._struck_at = _CLOCK.monotonic()
        self.strike(reason)

    def _is_cleaning_up(self) -> bool:
        """Whether the function handles what was raised in it, and has not taken too long over that."""
        if _CLOCK.monotonic() - self._struck_at > self._grace:
            return False
        if _is_a_stop(exception_of(self._thread_id)):
            return True
        return _event_loop_in(self._thread_id) is not None  # one task may handle it while others make steps


class Enforcer:
    """A thread that stops functions at their deadlines, and raises the exception again in those that go on.

    It is started when it is needed, and ends when it has had nothing to do for a while. Safe to use from any thread.

    Args:
        pause: as `PAUSE`.
        idle: how long it waits for something to do, in seconds.
    """

    def __init__(self, *, pause: float = PAUSE, idle: float = _IDLE) -> None:
        self._pause = pause
        self._idle = idle
        self._new: deque[Target] = deque()
        self._wakes_at = -math.inf
        self._call: SimpleQueue[None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def watch(self, target: Target) -> None:
        """Look after a function until it has ended."""
        self._forget_ended()
        self._new.append(target)
        # Most functions have ended long before it wakes by itself.
        if target.deadline < self._wakes_at or target.state.stop_reason is not None:
            self.wake()
        thread = self._thread
        if thread is None or not thread.is_alive():  # after a fork it is not
            self._thread = threading.Thread(target=self._enforce, name="gigq-enforcer", daemon=True)
            with suppress(RuntimeError):  # the interpreter ends, and its functions with it
                self._thread.start()

    def wake(self) -> None:
        """Look at once at all functions that are being watched. May be called by a signal handler."""
        self._call.put(None)

    def _forget_ended(self) -> None:
        """Drop what has ended before the enforcer has come to look at it: that may be a million functions."""
        with suppress(IndexError):  # it is looking just now
            while self._new[0].state.has_ended:
                target = self._new.popleft()
                if not target.state.has_ended:  # the first one was taken meanwhile
                    self._new.appendleft(target)

    def _enforce(self) -> None:
        targets: list[Target] = []
        while True:
            looks = [(target, target.look(self._pause)) for target in targets]
            targets = [target for target, pause in looks if pause is not None]
            pause = min((pause for _, pause in looks if pause is not None), default=self._idle)
            self._wakes_at = _CLOCK.monotonic() + pause
            if self._new:  # looked at after that: what comes from here on finds the right time
                targets += _all_of(self._new)
                continue
            try:
                self._call.get(timeout=pause)
            except Empty:
                if not targets:
                    self._thread = None  # whoever comes now starts another one
                    if not self._new:
                        return


def _all_of(new: deque[Target]) -> list[Target]:
    targets = []
    with suppress(IndexError):
        while True:
            targets.append(new.popleft())
    return targets
