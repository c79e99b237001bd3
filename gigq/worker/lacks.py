"""What a worker lacks: the functions that it does not find, whose jobs it leaves to others, and says so."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gigq.claims import Claim
from gigq.clock import Clock
from gigq.logs import logger, say
from gigq.missing import Lacking, Missing
from gigq.reports import Report
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus, Move
from gigq.worker.inflight import Inflight

log = logger("worker")

UNFOUND = Report.released("given back: its worker does not find its function", has_begun=False)
"""The report of a job that waited for a slot when its function turned out to be missing."""

_FOUND = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.TIMEOUT)
"""How executions end whose function was found."""


class Lacks:
    """A worker's memory of functions that it does not find. Belongs to the loop's thread."""

    def __init__(self, inflight: Inflight, clock: Clock, *, worker_id: str) -> None:
        self._inflight = inflight
        self._missing = Missing(worker_id)
        self._clock = clock
        self._found: set[str] = set()

    @property
    def count(self) -> int:
        """The number of jobs that were given back because their function was not found."""
        return self._missing.count

    @property
    def lacking(self) -> Lacking:
        """What may be claimed of these functions now: nothing while a job shows whether one is found by now."""
        found = self._missing.lacking(self._clock.monotonic())
        if not found.probed:
            return found
        searched = self._inflight.functions.intersection(found.probed)
        return Lacking({*found.absent, *searched}, {*found.probed} - searched)

    @property
    def next_search(self) -> float | None:
        """The monotonic time at which the next of them may be claimed again, to look for it; None if none waits."""
        return self._missing.next_search(self._clock.monotonic())

    def of_turn(self) -> Mapping[str, Any]:
        """Return what a turn is told."""
        return {"lacking": self.lacking, "missing": self._missing.reasons, "found": frozenset(self._found)}

    def note_written(self, found: Collection[str]) -> None:
        """Take note that the file knows that these functions were found."""
        self._found.difference_update(found)

    def note_ended(self, ended: Sequence[Ended]) -> list[Ended]:
        """Take note of which functions were found, and return the reports with the names of the others."""
        return [self._noted(*each) if each[1].is_missing else self._passed(*each) for each in ended]

    def note_failed(self, ended: Sequence[Ended], moves: Sequence[Move | None]) -> bool:
        """Take note of how jobs were settled; return whether any failed because no worker finds its function."""
        failed = [
            claim.function
            for (claim, report), move in zip(ended, moves, strict=True)
            if report.is_missing and move is Move.FAIL
        ]
        for function in failed:
            self._missing.note_failed(function, now=self._clock.monotonic())
        return bool(failed)

    def parted(self, claims: Sequence[Claim]) -> tuple[list[Claim], list[Claim]]:
        """Part claims that wait for a slot: those that may begin, and those whose function is missing."""
        absent = self._missing.lacking(self._clock.monotonic()).absent
        return (
            [claim for claim in claims if claim.function not in absent],
            [claim for claim in claims if claim.function in absent],
        )

    def _noted(self, claim: Claim, report: Report) -> Ended:
        named, is_news = self._missing.note(claim, report, now=self._clock.monotonic())
        if is_news:
            say(
                log, logging.ERROR, "%s; its jobs are left to other workers, and it looks again from time to time",
                named.error, function=claim.function, error_type=report.error_type, error=report.error,
            )  # fmt: skip
        return claim, named

    def _passed(self, claim: Claim, report: Report) -> Ended:
        if report.status in _FOUND:
            self._found.add(claim.function)
            if self._missing.note_found(claim.function):
                say(
                    log, logging.WARNING, "%r is found now; its jobs are claimed again", claim.function,
                    function=claim.function,
                )  # fmt: skip
        return claim, report
