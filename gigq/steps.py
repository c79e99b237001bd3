"""The steps of a job: what is remembered of each, between the function that makes it and the file."""

from __future__ import annotations

from typing import Literal, NamedTuple

StepKind = Literal["step", "transaction"]
"""What a step was: a call of a function, or one that has written in the commit that remembers it."""


class Step(NamedTuple):
    """A step whose function has returned, on its way into the file.

    Attributes:
        name: with those of the steps around it: ``outer/inner``.
        occurrence: 1 for the first of its name in a run of the job's function, then 2, 3, ….
        fingerprint: of its arguments; None if JSON cannot hold them.
        arguments: the beginning of them, as JSON; None likewise.
        result: what it returned, as JSON.
        started_at: when its function was called, as the file holds it.
    """

    name: str
    occurrence: int
    kind: StepKind
    fingerprint: str | None
    arguments: str | None
    result: str
    started_at: str


class RememberedStep(NamedTuple):
    """What the file holds of a step that an earlier run of the function, or this one, has made."""

    kind: StepKind
    fingerprint: str | None
    arguments: str | None
    result: str
