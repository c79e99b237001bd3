"""The functions that a process does not find, and when it looks for each of them again."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Collection, Mapping
from typing import NamedTuple

from gigq.claims import Claim
from gigq.reports import Report

_FIRST_PAUSE, _LAST_PAUSE = 1.0, 300.0
"""Seconds between two searches for one function. The pause doubles each time that it is still missing."""


class Lacking(NamedTuple):
    """The functions of which a worker claims no jobs, or one job at most.

    Attributes:
        absent: it claims no job that calls one of these.
        probed: it claims one job at most of each, to see whether it finds the function now.
    """

    absent: Collection[str] = ()
    probed: Collection[str] = ()


NOTHING = Lacking()


class _Search:
    """How it stands with one function. No dataclass: that imports `inspect`, and looks come by here."""

    __slots__ = ("next_at", "pause", "reason")

    def __init__(self, reason: str, pause: float, next_at: float) -> None:
        self.reason = reason
        self.pause = pause
        self.next_at = next_at


class Missing:
    """The functions that one worker does not find. All times are monotonic. Safe to use from several threads.

    Args:
        worker_id: the worker's name.

    Attributes:
        count: how many of its jobs were given back for that.
    """

    def __init__(self, worker_id: str) -> None:
        self.count = 0
        self._worker_id = worker_id
        self._searches: dict[str, _Search] = {}

    def __len__(self) -> int:
        return len(self._searches)

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why each of them is missing."""
        return {function: search.reason for function, search in list(self._searches.items())}

    def note(self, claim: Claim, report: Report, *, now: float) -> tuple[Report, bool]:
        """Remember a function that was not found; return the report with all names, and whether that is news."""
        self.count += 1
        reason = report.error or ""
        search = self._searches.get(claim.function)
        if search is None:
            self._searches[claim.function] = _Search(reason, _FIRST_PAUSE, now + _FIRST_PAUSE)
        elif now >= search.next_at:  # if not, its job was claimed together with one for which that is noted already
            search.pause = min(_LAST_PAUSE, 2 * search.pause)
            search.reason, search.next_at = reason, now + search.pause
        named = f"worker {self._worker_id} cannot find {claim.function!r}: {reason}"
        return report._replace(error=named), search is None

    def note_failed(self, function: str, *, now: float) -> None:
        """Take note that a job failed for it: another one, which may have waited as long, may be claimed now."""
        if function in self._searches:
            self._searches[function].next_at = now

    def note_found(self, function: str) -> bool:
        """Forget a function that was found; return whether it was missing."""
        return self._searches.pop(function, None) is not None

    def lacking(self, now: float) -> Lacking:
        """Return what may be claimed of them now."""
        if not self._searches:
            return NOTHING
        absent = {function for function, search in list(self._searches.items()) if search.next_at > now}
        return Lacking(absent, set(self._searches) - absent)

    def next_search(self, now: float) -> float | None:
        """Return when the next pause ends, or None."""
        return min((search.next_at for search in list(self._searches.values()) if search.next_at > now), default=None)
