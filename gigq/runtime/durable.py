"""What a running job may ask of the file of its queue, which this folder knows nothing else of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from gigq.checks import Default
from gigq.claims import Claim
from gigq.reports import Report
from gigq.steps import Place, RememberedStep, Step

if TYPE_CHECKING:
    from gigq.job import Job, Submittable
    from gigq.job_ids import JobId

    AnyJob: TypeAlias = Job | Submittable | Callable[..., Any]


class JobStore(Protocol):
    """The file of a queue as one execution of a job reads and writes it. Safe to use from the threads of the job.

    Every write is a transaction that has first seen the execution open; otherwise it raises `LeaseLost`, and nothing is
    written.
    """

    def recall(self, name: str, occurrence: int) -> RememberedStep | None:
        """Return what is remembered of a step; None if it has not been made."""

    def recall_again(self) -> None:
        """Note that steps may be asked for which this execution has asked for, or made, before."""

    def count_steps(self) -> int:
        """Return how many steps are remembered."""

    def remember(self, step: Step) -> None:
        """Write a step. One write transaction."""

    def transact(self, call: Callable[[Any], Step], terms: Terms) -> Step:
        """Lend a connection in a write transaction to a call, and remember in the same one the step that it returns."""

    def last_act(self, terms: Terms) -> AbstractContextManager[Any]:
        """Lend a connection in a write transaction to a block. It stays open, for `settle`, unless the block raises."""

    def settle(self, report: Report) -> None:
        """Settle the execution in the transaction of its last act, and commit that."""

    def hurry(self) -> None:
        """Have what is lent taken back now, without waiting for that: the function is being stopped."""

    def submit(self, job: AnyJob, *, default: Default | None, place: Place, is_detached: bool) -> JobId:
        """Store a job that the running one has found, and return its id. One write transaction."""

    def submit_many(
        self, jobs: Iterable[AnyJob], *, default: Default | None, place: Place, is_detached: bool
    ) -> list[JobId]:
        """Store jobs that the running one has found, and return their ids.

        Args:
            jobs: jobs, tasks and functions, parents before their children.
            default: converts what JSON lacks in their arguments.
            place: the step inside which they are submitted.
            is_detached: whether what waits for the running job does not wait for them.

        Raises:
            InvalidJob: one of them cannot be stored; nothing was written.
        """

    def close(self) -> None:
        """Roll back what is not committed, and close its connection, if it has opened one."""


class Terms(NamedTuple):
    """On which terms a connection is lent.

    Attributes:
        seconds: after which it is taken back, wherever the function is; what it has written is rolled back.
        refusal: makes the error that the function gets when it uses it after that.
    """

    seconds: float
    refusal: Callable[[], BaseException]


Opener = Callable[[Claim], JobStore]
"""Returns the store of one execution: called once, and only if its function asks for something durable."""


class Tools(NamedTuple):
    """What every execution of a worker can use.

    Attributes:
        opened: returns the store of an execution.
        written: encodes as JSON what a function has returned, as the worker encodes results.
        now: the time, as the file holds it.
        default: converts what JSON lacks, there and in the arguments of jobs that a job submits; None if nothing does.
    """

    opened: Opener
    written: Callable[[object], str]
    now: Callable[[], str]
    default: Default | None = None
