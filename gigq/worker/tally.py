"""What a worker has done and what it runs, for people who look at its process."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from gigq.claims import Claim
from gigq.reports import Progress, Report
from gigq.worker.inflight import Inflight

COMPLETED, FAILED, RETRIED, RELEASED, CANCELLED = "completed", "failed", "retried", "released", "cancelled"
"""What is counted, in the order in which it is told."""

_MOST_CAUSES = 1000


class Cause(NamedTuple):
    """Why jobs failed for good: one function and one class of errors.

    Attributes:
        job_id: the last job that failed so.
        error: its error.
    """

    function: str
    error_type: str
    number: int
    job_id: str
    error: str


class AtWork(NamedTuple):
    """A job that runs now.

    Attributes:
        since: the monotonic time at which it was claimed.
        progress: what was last written of its progress.
    """

    name: str
    since: float
    progress: Progress | None


class Tally:
    """Counts what a worker does. Its loop writes here; other threads may read at any time, without waiting.

    Attributes:
        counts: how many executions ended how, by `COMPLETED` and its like.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._causes: dict[tuple[str, str], Cause] = {}
        self._inflight: Inflight | None = None
        self._slots: Callable[[], int] = lambda: 0

    def attach(self, inflight: Inflight, slots: Callable[[], int]) -> None:
        """Read from now on what runs there, and of how many slots."""
        self._inflight, self._slots = inflight, slots

    def note(self, claim: Claim, report: Report, how: str) -> None:
        """Count the end of an execution."""
        self.counts[how] += 1
        if how != FAILED:
            return
        key = claim.function, report.error_type or report.status.value
        before = self._causes.get(key)
        if before is not None or len(self._causes) < _MOST_CAUSES:
            number = before.number if before else 0
            self._causes[key] = Cause(*key, number + 1, claim.job_id, report.error or "")

    @property
    def slots(self) -> int:
        """How many jobs may run at a time."""
        return self._slots()

    def at_work(self) -> list[AtWork]:
        """Return the jobs that run now, the one that was claimed first at the front."""
        found = self._inflight.at_work() if self._inflight else []
        return [AtWork(each.claim.name, each.claimed_at, each.progress) for each in found]

    def causes(self) -> list[Cause]:
        """Return why jobs failed for good, what has cost most jobs first."""
        return sorted(self._causes.values(), key=lambda each: -each.number)
