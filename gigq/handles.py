"""Handles: the short ids that people read and type, and which ids a typed one can mean."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from gigq.plain import as_plain
from gigq.status import JobStatus

SHOWN = 8
"""Characters of an id that are shown. Ours begin with the clock, so that only the ends of those made together differ:
among 2,003 jobs submitted at once no prefix under 17 characters was unique, and every suffix of 6 was."""

LEAST = 4
"""Characters of an id that must be typed, unless it has fewer."""

_MOST_WHOLE = 20
"""Characters up to which an id that somebody has chosen is shown whole, because it means something."""

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # compiled when it is first used


class Candidate(NamedTuple):
    """A job that an incomplete id may mean; see `AmbiguousId`.

    Attributes:
        id: its id.
        name: its name, for people.
        status: one of six; see `JobStatus`.

    Example:
        >>> from gigq import AmbiguousId, Job, JobQueue
        >>> with JobQueue(":memory:") as queue:
        ...     ids = queue.submit_many(Job(name, "reports:build", id=f"{name}-2026") for name in ("may", "june"))
        ...     try:
        ...         queue.full_id("2026")
        ...     except AmbiguousId as error:
        ...         [(each.id, each.name) for each in error.candidates]
        [('june-2026', 'june'), ('may-2026', 'may')]
    """

    id: str
    name: str
    status: JobStatus

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return as_plain(self)


def short(job_id: str) -> str:
    """Return the handle of an id: its last 8 characters, or all of a short one that was chosen by a person.

    It is cleaned of nothing: an id may hold any character.
    """
    return job_id if len(job_id) <= _MOST_WHOLE else job_id[-SHOWN:]


def shorts(job_ids: Sequence[str]) -> list[str]:
    """Return a handle for each of the ids that are shown together; those that would share one are shown whole."""
    handles = [short(each) for each in job_ids]
    owners = Counter(handle for handle, _ in set(zip(handles, job_ids, strict=True)))
    return [
        handle if owners[handle] == 1 else job_id for handle, job_id in zip(handles, job_ids, strict=True)
    ]


def typed(text: str) -> str:
    """Return a typed handle without what surrounds it where it was copied from: blanks, and an ellipsis."""
    return text.strip().removeprefix("…").removeprefix("...").removesuffix("…").removesuffix("...")


def can_mean(handle: str, job_id: str) -> bool:
    """Whether a handle can mean a job: it is the id, or at least 4 characters of its beginning or its end.

    UUIDs are compared in lower case, in which they are written.
    """
    if handle == job_id:
        return True
    wanted = handle.lower() if re.fullmatch(_UUID, job_id) else handle
    return len(handle) >= LEAST and (job_id.startswith(wanted) or job_id.endswith(wanted))
