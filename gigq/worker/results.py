"""The reports that a worker has still to write, and how many of them it writes at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gigq.reports import Report
from gigq.runtime.runner import Ended

GIVEN_BACK = Report.released("given back: its worker had no slot for it in time", has_begun=False)
"""Of what has waited for a slot for too long."""

_MOST_AT_ONCE = 64
"""Reports that are settled in one transaction: others wait for the lock meanwhile, and the slots for new claims."""


class Results:
    """What has ended and is not settled yet, the oldest first. Belongs to the loop's thread."""

    def __init__(self) -> None:
        self._ended: list[Ended] = []
        self._portion = _MOST_AT_ONCE

    def __len__(self) -> int:
        return len(self._ended)

    @property
    def executions(self) -> set[int]:
        """The executions that have ended so."""
        return {claim.execution_id for claim, _ in self._ended}

    def add(self, ended: Iterable[Ended]) -> None:
        """Keep these until they are written."""
        self._ended += ended

    def next(self) -> Sequence[Ended]:
        """Return what is to be written in the next transaction."""
        return self._ended[: self._portion]

    def all(self) -> Sequence[Ended]:
        """Return everything, for the last transaction."""
        return self._ended[:]

    def note_written(self, number: int) -> None:
        """Forget this many, the oldest, and write more at once again."""
        del self._ended[:number]
        self._portion = min(_MOST_AT_ONCE, 2 * self._portion)

    def go_one_by_one(self) -> None:
        """Write one at a time, and next another one than the last time: where one does not fit on the disk, it may."""
        self._portion = 1
        self._ended = self._ended[1:] + self._ended[:1]
