"""What a worker's loop asks of whatever calls the functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from gigq.records import Claim, Report

Call = Callable[[Claim], Report]
Ended = tuple[Claim, Report]


class Runner(Protocol):
    """Slots that call functions. All but `wake` belong to the loop's thread."""

    @property
    def free(self) -> int:
        """How many claims `start` would take now."""

    @property
    def running(self) -> Collection[int]:
        """The executions that have neither ended nor been stopped."""

    @property
    def next_deadline(self) -> float | None:
        """The monotonic time at which the first of them will be overdue."""

    def start(self, claims: Sequence[Claim]) -> None:
        """Call their functions, one in each free slot."""

    def ended(self) -> list[Ended]:
        """Return what has ended since it was last asked, with what is overdue and was stopped for it."""

    def stop(self, executions: Collection[int]) -> None:
        """Raise `JobCancelled` in these, and forget them: what they may still report is dropped."""

    def wait(self, seconds: float) -> None:
        """Return when something has ended, when `wake` is called, or after so many seconds."""

    def wake(self) -> None:
        """End a `wait`. Safe to call from any thread, and from a signal handler."""

    def close(self) -> None:
        """Let idle slots end. What still runs is not waited for."""
