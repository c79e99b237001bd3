"""The executions that a worker owns, each of them once, from its claim until its end is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from gigq.claims import Claim
from gigq.reports import Progress
from gigq.runtime.runner import Ended


class Execution:
    """What a worker knows of one execution.

    Attributes:
        claim: the job that was claimed.
        claimed_at: when, as monotonic time.
        is_start_told: whether the listener knows that its function has been called.
        progress: the progress last written.
    """

    __slots__ = ("claim", "claimed_at", "is_start_told", "progress")

    def __init__(self, claim: Claim, claimed_at: float) -> None:
        self.claim = claim
        self.claimed_at = claimed_at
        self.is_start_told = False
        self.progress: Progress | None = None


class Inflight:
    """A worker's only memory of executions: what is forgotten here is forgotten everywhere.

    Belongs to the loop's thread; another one may look up executions while that one is kept by a job.
    """

    def __init__(self) -> None:
        self._owned: dict[int, Execution] = {}
        # Two indexes of these. What waits is in the order of the claims, so that the first has waited longest.
        self._waiting: dict[int, Execution] = {}
        self._begun: dict[int, Execution] = {}

    def __len__(self) -> int:
        return len(self._owned)

    def __iter__(self) -> Iterator[int]:
        return iter(self._owned)

    def get(self, execution: int) -> Execution | None:
        """Return an execution that the worker owns, or None."""
        return self._owned.get(execution)

    @property
    def waiting(self) -> int:
        """How many executions wait for a slot."""
        return len(self._waiting)

    @property
    def waiting_since(self) -> float | None:
        """When the one that has waited longest was claimed, as monotonic time; None if none waits."""
        return next((each.claimed_at for each in self._waiting.values()), None)

    @property
    def begun(self) -> Collection[int]:
        """The executions whose functions have been called, which the file does not say yet."""
        return list(self._begun)

    def add(self, claims: Sequence[Claim], *, free: int, now: float) -> None:
        """Own these from now on. As many as slots are free begin at once, unless they were claimed ahead."""
        for number, claim in enumerate(claims):
            execution = self._owned[claim.execution_id] = Execution(claim, now)
            # Slots that were free when it was claimed may be gone: a person has scaled the worker down.
            if claim.is_ahead or number >= free:
                self._waiting[claim.execution_id] = execution

    def note_begun(self, executions: Iterable[int]) -> None:
        """Take note that the functions of these have been called."""
        for each in executions:
            execution = self._waiting.pop(each, None)
            if execution is not None:
                self._begun[each] = execution

    def note_waiting(self, executions: Collection[int]) -> None:
        """Take note that these wait after all: there are fewer slots than when they were claimed."""
        waiting = {*self._waiting, *executions}
        self._waiting = {each: execution for each, execution in self._owned.items() if each in waiting}

    def note_start_written(self, executions: Iterable[int]) -> None:
        """Take note that the file says that these have begun."""
        for each in executions:
            self._begun.pop(each, None)

    def note_ended(self, ended: Iterable[Ended]) -> None:
        """Take note that there is a report of these, which is to be written; it says when they began."""
        for claim, _ in ended:
            self._waiting.pop(claim.execution_id, None)
            self._begun.pop(claim.execution_id, None)

    def forget(self, executions: Iterable[int]) -> None:
        """Own these no more: their ends are written, or someone else has ended them."""
        for each in executions:
            self._owned.pop(each, None)
            self._waiting.pop(each, None)
            self._begun.pop(each, None)
