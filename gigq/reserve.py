"""How many jobs a worker claims ahead of its free slots, and which of those have begun."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gigq.records import Claim
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus
from gigq.store.claiming import Ahead

_MOST = 64
"""More gained 10 to 25 % and cost submitters 100 to 180 ms of waiting for the lock."""

_PATIENCE = 1.0
"""Seconds after which a job that has not begun is given back, for another worker may have a slot for it."""


class Reserve:
    """A worker's memory of what it has claimed ahead. Belongs to the loop's thread.

    Jobs are claimed ahead only as fast as they are consumed, about twice as many as ended in the last turn: so short
    jobs pay one transaction for dozens, and long ones are never hoarded. And only functions that have returned in this
    worker before, of jobs that no worker has died with: a crash must not be paid by innocents, nor hide the guilty.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, float] = {}
        self._begun: set[int] = set()
        self._returned: set[str] = set()
        self._pace = 0

    @property
    def wanted(self) -> Ahead:
        """What may be claimed ahead now."""
        return Ahead(limit=max(0, min(_MOST, 2 * self._pace) - len(self._waiting)), functions=self._returned)

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

    def note_settled(self, ended: Sequence[Ended], begun: Collection[int]) -> None:
        """Take note of what is now written: these have ended, and those have begun."""
        self._begun.difference_update(begun)
        for claim, report in ended:
            self._waiting.pop(claim.execution_id, None)
            self._begun.discard(claim.execution_id)
            if report.status is ExecutionStatus.COMPLETED:
                self._returned.add(claim.function)
        self._pace = len(ended)
