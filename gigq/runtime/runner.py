"""What a worker's loop asks of whatever calls the functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from gigq.claims import Claim
from gigq.reports import Progress, Report

Call = Callable[[Claim], Report]
Ended = tuple[Claim, Report]


class Runner(Protocol):
    """Slots that call functions. All but `wake` belong to the loop's thread.

    Attributes:
        slots: how many functions may run at a time. May be changed; what has begun goes on.
    """

    slots: int

    @property
    def is_stuck(self) -> bool:
        """Whether it can take nothing any more, for what it has stopped does not come back."""

    @property
    def free(self) -> int:
        """How many claims would begin at once if they were started now."""

    @property
    def running(self) -> Collection[int]:
        """The executions that were started and have neither ended nor been stopped, begun or not."""

    @property
    def begun(self) -> Collection[int]:
        """Those of `running` whose function has been called; the others wait for a slot."""

    @property
    def next_deadline(self) -> float | None:
        """The monotonic time at which the first of those that have begun will be overdue."""

    def progress(self) -> Mapping[int, Progress]:
        """Return what those of `running` have last said of their progress, if anything."""

    def logs(self, executions: Collection[int]) -> Mapping[int, str]:
        """Return what these of `running` have logged by now, if that is kept."""

    def start(self, claims: Sequence[Claim]) -> None:
        """Call their functions in this order, as slots become free. The time of a timeout begins with the call."""

    def ended(self) -> list[Ended]:
        """Return what has ended since it was last asked, with what is overdue and was stopped for it."""

    def stop(self, executions: Collection[int]) -> None:
        """Raise `JobCancelled` in these, and forget them: what they may still report is dropped."""

    def give_back(self) -> list[Claim]:
        """Forget and return what has not begun."""

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        """Return when something has ended, when `wake` is called, when the file `bell` can be read, or in time.

        True if it has seen that the bell can be read.
        """

    def wake(self) -> None:
        """End a `wait`. Safe to call from any thread, and from a signal handler."""

    def close(self) -> None:
        """Let idle slots end. What still runs is not waited for."""
