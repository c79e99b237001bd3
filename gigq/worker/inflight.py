"""The executions that a worker owns, each of them once, from its claim until its end is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from gigq.claims import Claim
from gigq.reports import Progress
from gigq.runtime.output import NOTHING_LOGGED
from gigq.runtime.runner import Ended


class Execution:
    """What a worker knows of one execution.

    Attributes:
        claim: the job that was claimed.
        claimed_at: when, as monotonic time.
        has_ended: whether it has, and its report is still to be written.
        is_start_sent: whether the listener has been sent that its function was called.
        progress: the progress last written.
        cursor: the cursor last written.
        log: the log last written, as `Log.kept`.
        log_written_at: when that was, as monotonic time.
    """

    __slots__ = ("claim", "claimed_at", "cursor", "has_ended", "is_start_sent", "log", "log_written_at", "progress")

    def __init__(self, claim: Claim, claimed_at: float) -> None:
        self.claim = claim
        self.claimed_at = claimed_at
        self.has_ended = self.is_start_sent = False
        self.progress: Progress | None = None
        self.cursor: str | None = None
        self.log = NOTHING_LOGGED
        self.log_written_at = claimed_at


class Inflight:
    """A worker's only memory of executions: what is forgotten here is forgotten everywhere.

    Belongs to the loop's thread. While that runs a job itself, another thread may look up executions.
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

    def at_work(self) -> list[Execution]:
        """Return the executions that are neither waiting for a slot nor have ended. Any thread may ask."""
        owned, waiting = list(self._owned.values()), self._waiting
        return [each for each in owned if not each.has_ended and each.claim.execution_id not in waiting]

    def claims_of(self, executions: Iterable[int]) -> list[Claim]:
        """Return the claims of those of these executions that the worker owns."""
        return [self._owned[each].claim for each in executions if each in self._owned]

    @property
    def functions(self) -> set[str]:
        """The functions of those that have not ended."""
        return {each.claim.function for each in self._owned.values() if not each.has_ended}

    @property
    def waiting(self) -> int:
        """The number of executions that wait for a slot."""
        return len(self._waiting)

    @property
    def waiting_since(self) -> float | None:
        """The monotonic time at which the execution that has waited longest was claimed; None if none waits."""
        return next((each.claimed_at for each in self._waiting.values()), None)

    @property
    def begun(self) -> Collection[int]:
        """The executions whose functions have been called, but whose starts are not in the file yet."""
        return list(self._begun)

    def add(self, claims: Sequence[Claim], *, free: int, now: float) -> None:
        """Remember claims. As many as slots are free begin at once, unless they were claimed ahead."""
        for number, claim in enumerate(claims):
            execution = self._owned[claim.execution_id] = Execution(claim, now)
            # Slots that were free when it was claimed may be gone: a person has scaled the worker down.
            if claim.is_ahead or number >= free:
                self._waiting[claim.execution_id] = execution

    def note_begun(self, executions: Iterable[int]) -> None:
        """Take note that the functions of these executions have been called."""
        for each in executions:
            execution = self._waiting.pop(each, None)
            if execution is not None:
                self._begun[each] = execution

    def note_waiting(self, executions: Collection[int]) -> None:
        """Take note that these executions have to wait after all, because there are fewer slots now."""
        waiting = {*self._waiting, *executions}
        self._waiting = {each: execution for each, execution in self._owned.items() if each in waiting}

    def note_start_written(self, executions: Iterable[int]) -> None:
        """Take note that the starts of these executions are in the file."""
        for each in executions:
            self._begun.pop(each, None)

    def note_ended(self, ended: Iterable[Ended]) -> None:
        """Take note that these executions have ended. Their reports, still to be written, say when they began."""
        for claim, _ in ended:
            if (execution := self._owned.get(claim.execution_id)) is not None:
                execution.has_ended = True
            self._waiting.pop(claim.execution_id, None)
            self._begun.pop(claim.execution_id, None)

    def forget(self, executions: Iterable[int]) -> None:
        """Forget executions whose ends are in the file, whether this worker or another has written them."""
        for each in executions:
            self._owned.pop(each, None)
            self._waiting.pop(each, None)
            self._begun.pop(each, None)
