"""What a worker has room for: how many jobs it claims ahead of its free slots, and which it runs alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gigq.claims import Claim
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus
from gigq.store.claiming import Room

_MOST = 192
"""Three times what one transaction settles, so that the slots have work while it lasts; with twice they ran dry."""

_PATIENCE = 1.0
"""Seconds after which a job that has not begun is given back, for another worker may have a slot for it."""


class Prefetch:
    """A worker's memory of what it has claimed ahead. Belongs to the loop's thread.

    Jobs are claimed ahead only as fast as they are consumed: so short jobs pay one transaction for dozens, and long
    ones are never hoarded. And only functions that have returned in this worker before, of jobs that no worker has
    died with: a crash must not be paid by innocents, nor hide the guilty.

    Args:
        is_shared: whether a job that brings down its process takes those of the other slots with it.
    """

    def __init__(self, *, is_shared: bool) -> None:
        self._is_shared = is_shared
        self._waiting: dict[int, float] = {}
        self._begun: set[int] = set()
        self._returned: set[str] = set()
        self._pace = 0
        self._suspect: int | None = None

    def room(self, free: int, running: Collection[int], *, ahead: bool) -> Room:
        """Return what may be claimed now.

        Args:
            free: slots in which a job would begin at once.
            running: the executions that the worker holds.
            ahead: whether any may be claimed ahead.
        """
        if not self._is_shared:
            suspects = None
        elif self._suspect in running:
            return Room(free=0)
        else:
            suspects = not running
        most = min(_MOST, 4 * self._pace) - len(self._waiting)
        return Room(free=free, ahead=max(0, most) if ahead else 0, returned=self._returned, suspects=suspects)

    @property
    def begun(self) -> Collection[int]:
        """The executions that have begun since they were claimed ahead, which the file does not yet say."""
        return list(self._begun)

    def is_overdue(self, now: float) -> bool:
        """Whether something has waited for a slot for too long."""
        return any(now - since >= _PATIENCE for since in self._waiting.values())

    def note_begun(self, executions: Collection[int]) -> None:
        """Take note of what the slots are at."""
        for execution in executions:
            if self._waiting.pop(execution, None) is not None:
                self._begun.add(execution)

    def note_claimed(self, claims: Sequence[Claim], *, now: float) -> None:
        """Take note of what was claimed."""
        self._waiting |= {claim.execution_id: now for claim in claims if claim.is_ahead}
        if claims and claims[0].must_run_alone:
            self._suspect = claims[0].execution_id

    def note_settled(self, ended: Sequence[Ended], begun: Collection[int]) -> None:
        """Take note of what is now written: these have ended, and those have begun."""
        self._begun.difference_update(begun)
        run = 0
        for claim, report in ended:
            self._waiting.pop(claim.execution_id, None)
            self._begun.discard(claim.execution_id)
            run += report.status is not ExecutionStatus.RELEASED
            if report.status is ExecutionStatus.COMPLETED:
                self._returned.add(claim.function)
        # What the slots did while the last transaction lasted. Not less than half of the time before: a short
        # transaction finds little, and would let the slots run dry during the next one.
        self._pace = max(run, self._pace // 2)
