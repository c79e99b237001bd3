"""The filters by which jobs are found: as a caller gives them, and as the store reads them."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypedDict, Unpack

from gigq import checks
from gigq.checks import Texts
from gigq.clock import Instant, to_instant
from gigq.job_ids import Jobs, ids_of
from gigq.priority import PriorityLevel, to_priority
from gigq.status import JobStatus, Phase, PhaseText, StatusText

Statuses = JobStatus | StatusText | Iterable[JobStatus | StatusText]
"""One status, or several."""

Phases = Phase | PhaseText | Iterable[Phase | PhaseText]
"""One phase, or several."""


_TEXTS = ("queue", "name", "function", "worker_id", "workflow", "error")
_INSTANTS = ("since", "until", "ended_since", "ended_until")


class FilterOptions(TypedDict, total=False):
    """The filters that a job must pass, besides its status. None lets every job pass.

    Attributes:
        phase: one or several of its phases.
        queue: the name of its queue.
        name: its whole name.
        function: the function that it calls: ``package.module:name``, or with a dot for the colon; or the name of a
            handler.
        tags: one or several tags, all of which it must have.
        priority: its priority.
        worker_id: the name of the worker that runs it, or ran it last.
        workflow: the id of the workflow that it belongs to.
        since: submitted at this instant or later.
        until: submitted before this instant.
        ended_since: ended at this instant or later.
        ended_until: ended before this instant.
        error: the class of the error of its last attempt, such as ``ValueError``; or text in the message, in any case.
        args: values of its arguments, by the names of these, or their positions from 0. A dot leads to a value inside:
            ``{"user.id": 42, "0": "mail"}``. Text also equals a number that is written so.
        search: text in its id, name, description, function, arguments or error, in any case.
        ids: it is one of these jobs: one or several, by their ids or as jobs.
    """

    phase: Phases | None
    queue: str | None
    name: str | None
    function: str | None
    tags: Texts | None
    priority: PriorityLevel | None
    worker_id: str | None
    workflow: str | None
    since: Instant | None
    until: Instant | None
    ended_since: Instant | None
    ended_until: Instant | None
    error: str | None
    args: Mapping[str, Any] | None
    search: str | None
    ids: Jobs | None


class Filters(NamedTuple):
    """The filters that a job must pass, their values checked. None lets every job pass, and so do no tags.

    Attributes:
        statuses: one of these.
        phases: one of these.
        tags: all of these.
        since: submitted at this instant or later.
        until: submitted before this instant.
        ended_since: ended at this instant or later.
        ended_until: ended before this instant.
        error: the class of the error of the last attempt, or text in its message, in any case.
        args: the path of each argument, and its value as JSON.
        search: text in the id, name, description, function, arguments or error, in any case.
        ids: one of these.
    """

    statuses: Sequence[str] | None = None
    phases: Sequence[str] | None = None
    queue: str | None = None
    name: str | None = None
    function: str | None = None
    tags: Sequence[str] = ()
    priority: int | None = None
    worker_id: str | None = None
    workflow: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ended_since: datetime | None = None
    ended_until: datetime | None = None
    error: str | None = None
    args: Sequence[tuple[str, str]] = ()
    search: str | None = None
    ids: Sequence[str] | None = None

    @classmethod
    def of(cls, *, status: Statuses | None = None, **options: Unpack[FilterOptions]) -> "Filters":
        """Check the filters that a caller gave.

        Raises:
            ValueError: an invalid value.
            TypeError: there is no such filter.
        """
        checks.known(options, among=FilterOptions.__annotations__, what="filter")
        phase, tags = options.get("phase"), options.get("tags")
        # Empty, as an unset variable of a shell is, these texts would pass no job, and `search` every job.
        alike: dict[str, Any] = {name: checks.optional(options.get(name), name, checks.text) for name in _TEXTS}
        alike |= {name: checks.optional(options.get(name), name, to_instant) for name in _INSTANTS}
        return cls(
            statuses=None if status is None else _words(status, "status", JobStatus),
            phases=None if phase is None else _words(phase, "phase", Phase),
            tags=() if tags is None else checks.texts(tags, "tags"),
            priority=checks.optional(options.get("priority"), "priority", to_priority),
            args=() if options.get("args") is None else _arguments(options.get("args")),
            search=checks.optional(options.get("search"), "search", checks.any_text),
            ids=checks.optional(options.get("ids"), "ids", lambda value, name: checks.texts(ids_of(value, name), name)),
            **alike,
        )


def _words(value: object, name: str, words: type[StrEnum]) -> list[str]:
    """Return the distinct words of a list, or the one word."""
    choices = [word.value for word in words]
    return list(dict.fromkeys(checks.one_of(each, name, choices=choices) for each in checks.several(value, name)))


def _arguments(value: object) -> tuple[tuple[str, str], ...]:
    """Return the path of each argument, and its value as JSON."""
    from gigq.codec import canonical  # only here: few looks ask for arguments

    found = []
    for path, wanted in checks.mapping(value, "args").items():
        text = canonical(wanted)
        if text is None:
            raise ValueError(f"args has {checks.shown(wanted)} for {path!r:.80}; it must be a value that JSON can hold")
        found.append((checks.text(path, "a name in args"), checks.any_text(text, f"args[{path!r:.80}]")))
    return tuple(found)
