"""What was found in a span of the history, and how far that goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from gigq.clock import to_text

T = TypeVar("T")


class Findings(list[T]):
    """What was found in a span of the history: a list that also says how far it goes. Instants are in UTC.

    Attributes:
        since: where the span begins; None for the beginning of the file.
        until: where it ends.
        known_since: what ended before this instant may have been deleted; None if nothing seems to have been.
        is_cut: whether the time of ``within=`` was over before all of the span was looked at. The newest of it was.
        looked_at: how many executions were looked at.

    Example:
        >>> from calendar import isleap
        >>> from gigq import JobQueue
        >>> from gigq.testing import drain
        >>> with JobQueue(":memory:") as queue:
        ...     ids = [queue.enqueue(isleap, year) for year in (2027, 2028)]
        ...     executions = drain(queue)
        ...     found = queue.history.functions("1h", within=1.0)
        ...     [each.function for each in found], found.is_cut, found.looked_at
        (['calendar:isleap'], False, 2)
    """

    def __init__(
        self,
        found: Iterable[T] = (),
        *,
        since: datetime | None,
        until: datetime,
        known_since: datetime | None = None,
        is_cut: bool = False,
        looked_at: int = 0,
    ) -> None:
        super().__init__(found)
        self.since = since
        self.until = until
        self.known_since = known_since
        self.is_cut = is_cut
        self.looked_at = looked_at

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold: what was found as ``items``, and the attributes."""
        instants = {name: instant and to_text(instant) for name, instant in vars(self).items() if name in _INSTANTS}
        items = [each.as_dict() if hasattr(each, "as_dict") else each for each in self]
        return {"items": items, **vars(self), **instants}


_INSTANTS = ("since", "until", "known_since")
