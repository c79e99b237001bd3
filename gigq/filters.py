"""Which jobs are wanted, as a caller says it and as the store reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from gigq.clock import Instant, to_instant
from gigq.priority import to_priority
from gigq.status import JobStatus, Phase

Several = str | Iterable[str] | None
"""One word (an enum's member, or its text), several, or None for any."""


class FilterOptions(TypedDict, total=False):
    """The filters that `list_jobs` and `count` take beside the status."""

    phase: Several
    queue: str | None
    name: str | None
    tags: Several
    priority: int | str | None
    worker_id: str | None
    since: Instant | None
    until: Instant | None
    search: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which jobs are wanted; a filter that is None lets every job pass, as do no tags.

    Attributes:
        tags: all of them.
        since, until: submitted at or after, and before.
        search: text in the id, name, description, function, arguments or error; the case of ASCII does not matter.
    """

    statuses: Sequence[str] | None = None
    phases: Sequence[str] | None = None
    queue: str | None = None
    name: str | None = None
    tags: Sequence[str] = ()
    priority: int | None = None
    worker_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str | None = None

    @classmethod
    def of(cls, *, status: Several = None, **options: Unpack[FilterOptions]) -> Filters:
        """Read the filters that a caller gave.

        Raises:
            ValueError: a value that the filter cannot have.
            TypeError: a filter that there is not.
        """
        unknown = options.keys() - FilterOptions.__annotations__.keys()
        if unknown:
            raise TypeError(
                f"there is no filter {min(unknown)!r}; there are {', '.join(FilterOptions.__annotations__)}"
            )
        priority, since, until = options.get("priority"), options.get("since"), options.get("until")
        return cls(
            statuses=None if status is None else [JobStatus(each).value for each in _several(status)],
            phases=None if (phase := options.get("phase")) is None else [Phase(each).value for each in _several(phase)],
            tags=_several(options.get("tags") or ()),
            priority=None if priority is None else to_priority(priority),
            since=None if since is None else to_instant(since, "since"),
            until=None if until is None else to_instant(until, "until"),
            queue=options.get("queue"),
            name=options.get("name"),
            worker_id=options.get("worker_id"),
            search=options.get("search"),
        )


def _several(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(dict.fromkeys(value))
