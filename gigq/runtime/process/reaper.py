"""End child processes without waiting for them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import math
import signal
from typing import NamedTuple

from gigq.clock import Clock
from gigq.runtime.process.handle import Child

PROMPT = 0.5
"""Seconds within which a child ends that was asked to, unless its job has a handler of its own for SIGTERM."""


class _End(NamedTuple):
    child: Child
    kill_at: float
    in_a_job: bool


class Reaper:
    """The children that were told to end and may still be alive.

    Args:
        grace: seconds from the dismissal to SIGKILL; and from SIGTERM, for a job that handles it.
    """

    def __init__(self, clock: Clock, grace: float) -> None:
        self._clock = clock
        self._grace = grace
        self._ends: list[_End] = []

    @property
    def next_kill(self) -> float:
        """The monotonic time at which `poll` will have a child to kill; infinite if there is none."""
        return min((end.kill_at for end in self._ends), default=math.inf)

    def dismiss(self, child: Child) -> None:
        """Let a child end that has no job. The processes that its jobs have started stay alive."""
        child.dismiss()
        self._ends.append(_End(child, self._clock.monotonic() + self._grace, False))

    def terminate(self, child: Child) -> None:
        """End a child during a job, and the processes that the job has started."""
        if child.asked_at is None:
            child.ask_to_end(self._clock.monotonic())
        asked_at = child.asked_at or 0.0
        self._ends.append(_End(child, asked_at + min(PROMPT, self._grace), True))

    def reap(self, child: Child) -> int | None:
        """Return the exit code of a child that has hung up; None if it was still alive, and has been killed."""
        # A process's files are closed a moment before it can be reaped. Only for a child that has closed the wire and
        # goes on, the tenth of a second passes.
        child.wait(0.1)
        exit_code = child.exit_code
        _kill(_End(child, 0, True))
        _reap(child)
        return exit_code

    def poll(self) -> None:
        """Reap the children that have ended, and kill those whose grace is over. Never waits."""
        now = self._clock.monotonic()
        ends, self._ends = self._ends, []
        for end in map(self._in_its_time, ends):
            has_ended = end.child.exit_code is not None
            if has_ended or now >= end.kill_at:
                _kill(end)
            if has_ended:
                _reap(end.child)
            else:
                self._ends.append(end if now < end.kill_at else end._replace(kill_at=math.inf))

    def finish(self) -> None:
        """Wait until all have ended, for the rest of their grace, and kill those that have not."""
        for end in self._ends:
            self._wait(end)
            self._wait(self._in_its_time(end))
        for end in self._ends:
            _kill(end)
            _reap(end.child)
        self._ends.clear()


    def _wait(self, end: _End) -> None:
        end.child.wait(max(0.0, min(self._grace, end.kill_at - self._clock.monotonic())))

    def _in_its_time(self, end: _End) -> _End:
        """Give a child until the end of the grace whose job handles SIGTERM, once it should have ended."""
        grace_ends_at = (end.child.asked_at or 0.0) + self._grace
        is_late = end.in_a_job and end.kill_at < grace_ends_at and self._clock.monotonic() >= end.kill_at
        return end._replace(kill_at=grace_ends_at) if is_late and end.child.asks_for_grace else end


def _kill(end: _End) -> None:
    # The number of the group is not given to another process while the group has a member.
    if end.in_a_job or end.child.exit_code is None:
        end.child.signal(signal.SIGKILL)


def _reap(child: Child) -> None:
    child.wait(None)
    child.close()
