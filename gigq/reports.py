"""The progress of a job while it runs, and the report of how its execution ended."""

# No `from __future__ import annotations`: a NamedTuple compiles annotations that are text, 30 us a field at a start.
import math
from typing import Any, NamedTuple, Self

from gigq.status import ExecutionStatus

_COMPLETED = ExecutionStatus.COMPLETED

TEXT_LIMIT = 10_000
"""The most characters of an error or a traceback that are kept."""


class Progress(NamedTuple):
    """How far a job has come, as its function reports it."""

    current: float
    total: float | None = None
    message: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what the file holds, with a percentage of one decimal, which is 100 only once the total is reached."""
        percentage = None
        if self.total is not None:
            reached = 1000 * self.current / self.total if self.total else 1000.0  # of nothing, all is done
            percentage = math.floor(min(1000.0, reached)) / 10
        # JSON cannot hold what UTF-8 cannot.
        message = self.message and self.message.encode(errors="backslashreplace").decode()
        return {"current": self.current, "total": self.total, "percentage": percentage, "message": message}


class Report(NamedTuple):
    """How an execution ended.

    Attributes:
        status: how it ended.
        result: what the function returned, as JSON text, if it completed.
        error: the message of the error, if there was one.
        error_type: the class of the exception, if there was one.
        traceback: the traceback of the exception, if there was one; of a timeout, where the function stood.
        is_final: whether a failure is final, so that no other attempt is made.
        delay: seconds before a released job may run again.
        started_at: when the function was called, as the file holds it; None leaves what the file says.
        progress: what the function last reported of its progress, if anything.
        log: what the function logged, if logs are captured.
        has_begun: False if the function was certainly not called, whatever the file says.
        is_missing: whether it was given back because its worker does not find the function.
        is_settled: whether the function's own transaction has settled it already, so that nothing is left to write.
        cursor: the place in a long loop that the function has last set, as JSON; None if it has set none.
        raised: the exception, as `gigq.runtime.raised` describes it, where a program waits to raise it.
    """

    status: ExecutionStatus
    result: str | None = None
    error: str | None = None
    error_type: str | None = None
    traceback: str | None = None
    is_final: bool = False
    delay: float = 0.0
    started_at: str | None = None
    progress: Progress | None = None
    log: str | None = None
    has_begun: bool = True
    is_missing: bool = False
    is_settled: bool = False
    cursor: str | None = None
    raised: str | None = None

    # The ways in which an execution can end, and what is known of each.

    @classmethod
    def completed(cls, result: str, *, started_at: str | None = None) -> Self:
        """The function returned this JSON."""
        # Made for most jobs: to go by the names and defaults of the fields takes three times as long.
        known = (_COMPLETED, result, None, None, None, False, 0.0, started_at)
        return tuple.__new__(cls, (*known, None, None, True, False, False, None, None))

    @classmethod
    def failed(
        cls, error: str, *, error_type: str | None = None, traceback: str | None = None, is_final: bool = False
    ) -> Self:
        """The function raised, could not be called, or returned what cannot be stored. Long texts are shortened."""
        return cls(
            ExecutionStatus.FAILED,
            error=shortened(error),
            error_type=None if error_type is None else shortened(error_type),
            traceback=None if traceback is None else shortened(traceback),
            is_final=is_final,
        )

    @classmethod
    def timed_out(cls, error: str, *, error_type: str | None = None, traceback: str | None = None) -> Self:
        """It ran longer than its job's timeout. The traceback says where its function stood."""
        trace = None if traceback is None else shortened(traceback)
        return cls(ExecutionStatus.TIMEOUT, error=shortened(error), error_type=error_type, traceback=trace)

    @classmethod
    def cancelled(cls, error: str) -> Self:
        """Its job was cancelled while it ran."""
        return cls(ExecutionStatus.CANCELLED, error=shortened(error))

    @classmethod
    def lost(cls, error: str) -> Self:
        """Its worker died."""
        return cls(ExecutionStatus.LOST, error=error)

    @classmethod
    def released(cls, error: str, *, delay: float = 0.0, has_begun: bool = True) -> Self:
        """It was given back unfinished: the attempt does not count, and the next is at least `delay` seconds away."""
        return cls(ExecutionStatus.RELEASED, error=shortened(error), delay=delay, has_begun=has_begun)

    @classmethod
    def not_found(cls, reason: str, *, error_type: str, traceback: str | None = None) -> Self:
        """Its worker does not find the function: it is given back, and the attempt does not count."""
        return cls(
            ExecutionStatus.RELEASED,
            error=shortened(reason),
            error_type=error_type,
            traceback=None if traceback is None else shortened(traceback),
            has_begun=False,
            is_missing=True,
        )


def shortened(text: str) -> str:
    """Return text that UTF-8 can hold, of at most `TEXT_LIMIT` characters: of longer text the beginning and the end."""
    text = text.encode(errors="backslashreplace").decode()
    if len(text) <= TEXT_LIMIT:
        return text
    half = TEXT_LIMIT // 2 - 50
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters are left out …\n{text[-half:]}"
