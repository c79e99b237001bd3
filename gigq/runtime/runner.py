"""The interface between a worker's loop and the slots in which functions run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from gigq.claims import Claim
from gigq.reports import Progress, Report
from gigq.runtime.output import Log

Call = Callable[[Claim], Report]
Ended = tuple[Claim, Report]


class Runner(Protocol):
    """Slots that call functions. Everything but `wake` belongs to the loop's thread.

    Attributes:
        slots: how many functions may run at a time. May be changed; functions that have begun go on.
    """

    slots: int

    @property
    def is_stuck(self) -> bool:
        """Whether it can start nothing more for now."""

    @property
    def why_stuck(self) -> str:
        """Why that is so, for people."""

    @property
    def free(self) -> int:
        """How many claims would begin at once if they were started now."""

    @property
    def running(self) -> Collection[int]:
        """The executions that were started and have neither ended nor been stopped, whether they have begun or not."""

    @property
    def begun(self) -> Collection[int]:
        """Those of `running` whose function has been called; the others wait for a slot."""

    @property
    def next_deadline(self) -> float | None:
        """The monotonic time at which the first of those that have begun will be overdue."""

    def progress(self) -> Mapping[int, Progress]:
        """Return the latest progress of those of `running` that have reported any."""

    def cursors(self) -> Mapping[int, str]:
        """Return the latest cursors, as JSON, of those of `running` that have set one."""

    def logs(self) -> Mapping[int, Log]:
        """Return the logs of those of `running` whose functions have been called, if logs are kept."""

    def start(self, claims: Sequence[Claim]) -> None:
        """Call their functions in this order, as slots become free. A timeout counts from the call."""

    def ended(self) -> list[Ended]:
        """Return what has ended since the last call, including what was overdue and has been stopped for that."""

    def stop(self, executions: Collection[int]) -> None:
        """Raise `JobCancelled` in these, and forget them: reports that they still send are dropped."""

    def give_back(self) -> list[Claim]:
        """Forget and return the claims that have not begun."""

    def wait(self, seconds: float, *, bell: int | None = None) -> bool:
        """Wait until something has ended, `wake` is called, the file `bell` is readable, or the time is over.

        True if it has seen that the bell is readable.
        """

    def wake(self) -> None:
        """End a `wait`. Safe to call from any thread, and from a signal handler."""

    def close(self) -> None:
        """Let idle slots end. Functions that still run are not waited for."""
