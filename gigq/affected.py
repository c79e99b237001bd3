"""What a verb has done to many jobs: how many, and what became of the others that it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Affected(int):
    """To how many jobs something was done: a whole number that also says what became of the others.

    Attributes:
        along: how many jobs that were asked for went with a job on which they depend.
        changed: how many were as asked for when they were listed, and no longer when it was their turn.
        skipped: to how many it could not be done.
        reasons: why, and to how many each.
        bound: only jobs up to this one were looked at, by the order of submission; None where there is no such order.

    Example:
        >>> from gigq import Job, JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     parent = queue.submit(Job("resize", "m:resize", tags=["photos"]))
        ...     child = queue.submit(Job("publish", "m:publish", tags=["photos"], dependencies=[parent]))
        ...     cancelled = queue.cancel_jobs(tags="photos")
        ...     cancelled, cancelled.along, cancelled.skipped
        (1, 1, 0)
    """

    along: int
    changed: int
    reasons: dict[str, int]
    bound: int | None

    def __new__(
        cls,
        done: int = 0,
        *,
        along: int = 0,
        changed: int = 0,
        reasons: Mapping[str, int] | None = None,
        bound: int | None = None,
    ) -> Self:
        made = super().__new__(cls, done)
        made.along, made.changed, made.reasons, made.bound = along, changed, dict(reasons or {}), bound
        return made

    @property
    def skipped(self) -> int:
        """To how many jobs it could not be done."""
        return sum(self.reasons.values())

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold; the number itself is ``done``."""
        counts = {"done": int(self), "along": self.along, "changed": self.changed, "skipped": self.skipped}
        return {**counts, "reasons": dict(self.reasons), "bound": self.bound}
