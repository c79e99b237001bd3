"""What a program that waits for its own jobs has to say to each call, in the thread that makes it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gigq.claims import Claim
from gigq.reports import Report
from gigq.runtime.raised import described

SETUP_FAILED = "SetupFailed"
"""The `error_type` of a job that was given back because what was to be done before the first job has raised."""

GIVEN_BACK = "given back: "


class Watch(Protocol):
    """Is asked before each call of a function, and told what it has raised. Used by many threads at once."""

    def begins(self, claim: Claim) -> bool:
        """Whether the function is to be called. What this raises, the function has raised."""

    def raised(self, error: BaseException, claim: Claim, report: Report) -> Report:
        """Return the report of a function that has raised this error."""


class Setup:
    """A function to call once in each thread, before its first job.

    Args:
        function: the function; None for none.
        args: its arguments.
    """

    def __init__(self, function: Callable[..., object] | None, args: Sequence[Any] = ()) -> None:
        self._function = function
        self._args = args
        self._here = threading.local()

    def make(self) -> None:
        """Call it, if this thread has not done so."""
        if self._function is not None and not getattr(self._here, "is_made", False):
            self._here.is_made = False
            self._function(*self._args)
            self._here.is_made = True

    def judged(self, report: Report) -> Report:
        """Return the report as it is, or that the job was given back, if it was this function that has raised."""
        if getattr(self._here, "is_made", True):
            return report
        given_back = Report.released(f"{GIVEN_BACK}the initializer failed: {report.error}", has_begun=False)
        return given_back._replace(error_type=SETUP_FAILED, traceback=report.traceback)


class Describing:
    """In a child process: describes exceptions so that the process that waits for the job can raise them again.

    Args:
        setup: what is called before the first job.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def begins(self, claim: Claim) -> bool:
        self._setup.make()
        return True

    def raised(self, error: BaseException, claim: Claim, report: Report) -> Report:
        return self._setup.judged(report._replace(raised=described(error)))
