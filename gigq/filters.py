"""The filters by which jobs are found: as a caller gives them, and as the store reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypedDict, Unpack

from gigq import checks
from gigq.clock import Instant, to_instant
from gigq.priority import PriorityLevel, to_priority
from gigq.status import JobStatus, Phase, PhaseText, StatusText

Statuses = JobStatus | StatusText | Iterable[JobStatus | StatusText]
"""One status, or several."""

Phases = Phase | PhaseText | Iterable[Phase | PhaseText]
"""One phase, or several."""


class FilterOptions(TypedDict, total=False):
    """The filters that a job must pass, besides its status. None lets every job pass.

    Attributes:
        phase: one or several of its phases.
        queue: the name of its queue.
        name: its whole name.
        tags: one or several tags, all of which it must have.
        priority: its priority.
        worker_id: the name of the worker that runs it, or ran it last.
        since: submitted at this instant or later.
        until: submitted before this instant.
        search: text in its id, name, description, function, arguments or error; the case of ASCII letters is ignored.
    """

    phase: Phases | None
    queue: str | None
    name: str | None
    tags: str | Iterable[str] | None
    priority: PriorityLevel | None
    worker_id: str | None
    since: Instant | None
    until: Instant | None
    search: str | None


class Filters(NamedTuple):
    """The filters that a job must pass, their values checked. None lets every job pass, and so do no tags.

    Attributes:
        statuses: one of these.
        phases: one of these.
        tags: all of these.
        since: submitted at this instant or later.
        until: submitted before this instant.
        search: text in the id, name, description, function, arguments or error; the case of ASCII letters is ignored.
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
    def of(cls, *, status: Statuses | None = None, **options: Unpack[FilterOptions]) -> Filters:
        """Check the filters that a caller gave.

        Raises:
            ValueError: an invalid value.
            TypeError: there is no such filter.
        """
        checks.known(options, among=FilterOptions.__annotations__, what="filter")
        phase = options.get("phase")
        return cls(
            statuses=None if status is None else [_word(each, "status", JobStatus) for each in several(status)],
            phases=None if phase is None else [_word(each, "phase", Phase) for each in several(phase)],
            tags=several(options.get("tags") or ()),
            priority=checks.optional(options.get("priority"), "priority", to_priority),
            since=checks.optional(options.get("since"), "since", to_instant),
            until=checks.optional(options.get("until"), "until", to_instant),
            queue=options.get("queue"),
            name=options.get("name"),
            worker_id=options.get("worker_id"),
            search=options.get("search"),
        )


def several(value: str | Iterable[str]) -> list[str]:
    """Return one text, or several distinct ones, as a list."""
    return [value] if isinstance(value, str) else list(dict.fromkeys(value))


def _word(value: str, name: str, words: type[StrEnum]) -> str:
    return checks.one_of(value, name, choices=[word.value for word in words])
