"""The filters by which jobs are found: as a caller gives them, and as the store reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypedDict, Unpack

from gigq import checks
from gigq.checks import Texts
from gigq.clock import Instant, to_instant
from gigq.priority import PriorityLevel, to_priority
from gigq.status import JobStatus, Phase, PhaseText, StatusText

Statuses = JobStatus | StatusText | Iterable[JobStatus | StatusText]
"""One status, or several."""

Phases = Phase | PhaseText | Iterable[Phase | PhaseText]
"""One phase, or several."""


_TEXTS = ("queue", "name", "worker_id", "workflow")


class FilterOptions(TypedDict, total=False):
    """The filters that a job must pass, besides its status. None lets every job pass.

    Attributes:
        phase: one or several of its phases.
        queue: the name of its queue.
        name: its whole name.
        tags: one or several tags, all of which it must have.
        priority: its priority.
        worker_id: the name of the worker that runs it, or ran it last.
        workflow: the id of the workflow that it belongs to.
        since: submitted at this instant or later.
        until: submitted before this instant.
        search: text in its id, name, description, function, arguments or error, in any case.
    """

    phase: Phases | None
    queue: str | None
    name: str | None
    tags: Texts | None
    priority: PriorityLevel | None
    worker_id: str | None
    workflow: str | None
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
        search: text in the id, name, description, function, arguments or error, in any case.
    """

    statuses: Sequence[str] | None = None
    phases: Sequence[str] | None = None
    queue: str | None = None
    name: str | None = None
    tags: Sequence[str] = ()
    priority: int | None = None
    worker_id: str | None = None
    workflow: str | None = None
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
        phase, tags = options.get("phase"), options.get("tags")
        return cls(
            statuses=None if status is None else _words(status, "status", JobStatus),
            phases=None if phase is None else _words(phase, "phase", Phase),
            tags=() if tags is None else checks.texts(tags, "tags"),
            priority=checks.optional(options.get("priority"), "priority", to_priority),
            since=checks.optional(options.get("since"), "since", to_instant),
            until=checks.optional(options.get("until"), "until", to_instant),
            # Empty, as an unset variable of a shell is, these would pass no job, and the last every job.
            **{name: checks.optional(options.get(name), name, checks.text) for name in _TEXTS},
            search=checks.optional(options.get("search"), "search", checks.any_text),
        )


def _words(value: object, name: str, words: type[StrEnum]) -> list[str]:
    """Return the distinct words of a list, or the one word."""
    choices = [word.value for word in words]
    return list(dict.fromkeys(checks.one_of(each, name, choices=choices) for each in checks.several(value, name)))
