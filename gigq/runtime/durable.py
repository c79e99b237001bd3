"""What a running job may ask of the file of its queue, which this folder knows nothing else of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from gigq.checks import Default
from gigq.claims import Claim
from gigq.steps import RememberedStep, Step


class JobStore(Protocol):
    """The file of a queue as one execution of a job reads and writes it. Safe to use from the threads of the job.

    Every write is a transaction that has first seen the execution open; otherwise it raises `LeaseLost`, and nothing is
    written.
    """

    def recall(self, name: str, occurrence: int) -> RememberedStep | None:
        """Return what is remembered of a step; None if it has not been made."""

    def remember(self, step: Step) -> None:
        """Write a step. One write transaction."""

    def close(self) -> None:
        """Close its connection, if it has opened one."""


Opener = Callable[[Claim], JobStore]
"""Returns the store of one execution: called once, and only if its function asks for something durable."""


class Tools(NamedTuple):
    """What every execution of a worker can use.

    Attributes:
        opened: returns the store of an execution.
        written: encodes as JSON what a function has returned, as the worker encodes results.
        default: converts what JSON lacks, as for `json.dumps`; None if nothing does.
    """

    opened: Opener
    written: Callable[[object], str]
    default: Default | None = None
