"""The number of jobs that a worker claims ahead of its free slots, and the jobs that it runs alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gigq.claims import Claim
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus
from gigq.store.claiming import Room
from gigq.worker.inflight import Inflight

_MOST = 192
"""Three times what one transaction settles, so that the slots have work while it lasts; with twice they ran dry."""

_LONGEST_WAIT = 1.0
"""Seconds after which a job that has not begun is given back, for another worker may have a slot for it."""


class Prefetch:
    """Decides what a worker may claim. Belongs to the loop's thread.

    Jobs are claimed ahead only as fast as they are consumed, so short jobs pay one transaction for dozens, and long
    ones are never hoarded. And only functions that have returned in this worker before, of jobs with which no worker
    has died: a crash must not cost other jobs an attempt, nor hide the job that caused it.

    Args:
        is_shared: whether a job that brings down its process takes those of the other slots with it.
    """

    def __init__(self, inflight: Inflight, *, is_shared: bool) -> None:
        self._inflight = inflight
        self._is_shared = is_shared
        self._returned: set[str] = set()
        self._pace = 0
        self._suspect: int | None = None

    def runs_suspect(self, running: Collection[int]) -> bool:
        """Whether a suspect is running that must run alone."""
        return self._is_shared and self._suspect in running

    def room(self, free: int, running: Collection[int], *, ahead: bool, ended: int = 0) -> Room:
        """Return what may be claimed now.

        Args:
            free: slots in which a job would begin at once.
            running: the executions that the slots have.
            ahead: whether any may be claimed ahead.
            ended: reports that are not settled yet. They count as if they waited, or they would pile up where the
                slots are faster than the disk.
        """
        if self.runs_suspect(running):
            return Room(free=0)
        most = min(_MOST, 4 * self._pace) - self._inflight.waiting - ended
        suspects = not running if self._is_shared else None
        return Room(free=free, ahead=max(0, most) if ahead else 0, returned=self._returned, suspects=suspects)

    def is_overdue(self, now: float) -> bool:
        """Whether a job has waited for a slot for too long."""
        since = self._inflight.waiting_since
        return since is not None and now - since >= _LONGEST_WAIT

    def note_claimed(self, claims: Sequence[Claim]) -> None:
        """Take note of what was claimed."""
        if claims and claims[0].must_run_alone:
            self._suspect = claims[0].execution_id

    def note_settled(self, ended: Sequence[Ended]) -> None:
        """Take note of what has ended, and is written."""
        run = len(ended)
        for claim, report in ended:
            if report.status is ExecutionStatus.COMPLETED:
                self._returned.add(claim.function)
            elif report.status is ExecutionStatus.RELEASED:
                run -= 1
        # What the slots did while the last transaction lasted. Not less than half of the time before: a short
        # transaction finds little, and would let the slots run dry during the next one.
        self._pace = max(run, self._pace // 2)
