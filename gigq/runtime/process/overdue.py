"""The children whose jobs have overrun, until it is known where each job stood."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import math
from collections.abc import Collection, Iterator
from typing import NamedTuple

from gigq.claims import Claim
from gigq.runtime.process.handle import Child
from gigq.runtime.process.reaper import PROMPT


class Overrun(NamedTuple):
    """A child that was asked to end, because its job has overrun."""

    child: Child
    claim: Claim
    started_at: str


class Overdue:
    """Children that were asked to end. The end of a job is reported when its child has died, which takes milliseconds.

    It must not be reported before: the retry would begin while the function may still be going on.
    """

    def __init__(self) -> None:
        self._overruns: dict[int, Overrun] = {}

    def __iter__(self) -> Iterator[Overrun]:
        return iter(self._overruns.values())

    @property
    def next_report(self) -> float:
        """The monotonic time by which one of them must be reported, whether its child has died or not."""
        return min((_reported_by(each) for each in self), default=math.inf)

    def add(self, child: Child, *, started_at: str, now: float) -> None:
        """Ask a child to end that works on its only claim."""
        self._overruns[child.claims[0].execution_id] = Overrun(child, child.claims[0], started_at)
        child.ask_to_end(now)

    def take(self, now: float) -> list[Overrun]:
        """Remove and return those that can be reported."""
        return self._remove([each for each in self if each.child.has_hung_up or _reported_by(each) <= now])

    def forget(self, executions: Collection[int]) -> list[Overrun]:
        """Remove and return those of these executions."""
        return self._remove([each for each in self if each.claim.execution_id in executions])

    def _remove(self, overruns: list[Overrun]) -> list[Overrun]:
        for each in overruns:
            del self._overruns[each.claim.execution_id]
        return overruns


def _reported_by(overrun: Overrun) -> float:
    return (overrun.child.asked_at or 0.0) + PROMPT
