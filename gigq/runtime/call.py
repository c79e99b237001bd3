"""Turn a claim into a report: find the job's function, call it, and describe how that ended."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cache
from typing import Any

from gigq.claims import Claim
from gigq.clock import Clock, stamper, to_seconds
from gigq.codec import decode, encode
from gigq.errors import GiveUp, JobCancelled, JobTimeout, RetryLater
from gigq.paths import Function, names_of, takes
from gigq.reports import Report
from gigq.retry import is_worth_retrying
from gigq.runtime.capture import capture_logging
from gigq.runtime.context import current_log, enter, leave
from gigq.runtime.functions import Functions
from gigq.runtime.output import Log
from gigq.runtime.runner import Call


def caller(functions: Functions, *, clock: Clock, result_limit: int, keeps_logs: bool = False) -> Call:
    """Return a function that turns claims into reports.

    Args:
        functions: what jobs may call.
        clock: where time comes from.
        result_limit: the most bytes that a result may have as JSON.
        keeps_logs: whether reports include what the function has logged in its thread and context.
    """
    if keeps_logs:
        capture_logging(current_log)
    return Caller(functions.find, clock=clock, result_limit=result_limit, keeps_logs=keeps_logs).call


class Caller:
    """Calls the functions of jobs. Safe to use from many threads.

    Args:
        find: returns a function by the name that a job calls it by; asked once for each name.
        clock, result_limit, keeps_logs: as for `caller`.
    """

    __slots__ = ("_find", "_new_log", "_now", "_result_limit")

    def __init__(
        self, find: Callable[[str], Function], *, clock: Clock, result_limit: int, keeps_logs: bool = False
    ) -> None:
        self._find = cache(find)
        self._now = stamper(clock)
        self._result_limit = result_limit
        self._new_log = Log if keeps_logs else None

    def call(self, claim: Claim) -> Report:
        """Call a job's function, and report how that ended. No exception of the function gets through."""
        started_at = self._now()
        token, output = enter(claim, started_at, self._new_log and self._new_log())
        is_final = True  # only a failure of the function itself can be mended by another attempt
        try:
            function = self._find(claim.function)
            args, params = decode(claim.args), decode(claim.params)
            if claim.parent_results is not None:
                _add_parent_results(params, claim, function)
            is_final = False
            value = function(*args, **params)
            is_final = True
            report = Report.completed(encode(value, name="result", limit=self._result_limit), started_at=started_at)
        except BaseException as error:
            is_final = is_final or _could_not_be_called(error)
            report = report_on(error, claim, is_final=is_final)._replace(started_at=started_at)
        finally:
            leave(token)
        return output.add_to(report)


def timed_out(claim: Claim) -> Report:
    """Return the report of an execution that overran its job's timeout."""
    return Report.timed_out(f"timed out after {claim.timeout:g} seconds", error_type=JobTimeout.__name__)


def report_on(error: BaseException, claim: Claim, *, is_final: bool = False) -> Report:
    """Return the report of an execution whose function has raised this error.

    Args:
        is_final: whether it must not be tried again, even if the job's rules allow that.
    """
    try:
        return _report(error, claim, is_final=is_final)
    except Exception as odd:  # an exception that breaks whatever looks at it
        text = f"an exception that cannot be shown: {type(odd).__name__} while reading it"
        return Report.failed(text, error_type=type(error).__qualname__, is_final=is_final)


def _could_not_be_called(error: BaseException) -> bool:
    """Whether the function does not take these arguments: Python never entered it."""
    frames = error.__traceback__
    return isinstance(error, TypeError) and frames is not None and frames.tb_next is None


def _add_parent_results(params: dict[str, Any], claim: Claim, function: Function) -> None:
    wanted = claim.pass_parent_results
    if takes(function, "parent_results") if wanted is None else wanted:
        params["parent_results"] = decode(claim.parent_results or "{}")


def _report(error: BaseException, claim: Claim, *, is_final: bool) -> Report:
    match error:
        case JobTimeout() if claim.timeout is not None:
            return timed_out(claim)
        case JobCancelled():
            return Report.cancelled(_summary(error))
        case RetryLater():
            return Report.released(str(error), delay=to_seconds(error.delay))
    retry_on, no_retry_on = decode(claim.retry_on), decode(claim.no_retry_on)
    is_worth_it = is_worth_retrying(names_of(type(error)), retry_on=retry_on, no_retry_on=no_retry_on)
    return Report.failed(
        _summary(error),
        error_type=type(error).__qualname__,
        traceback=_trace(error),
        is_final=is_final or isinstance(error, GiveUp) or not is_worth_it,
    )


def _summary(error: BaseException) -> str:
    """Return the last line of a traceback, the class and the message, even if the error's `__str__` raises."""
    lines = traceback.format_exception_only(error)
    text = lines[-1] if isinstance(error, SyntaxError) else "".join(lines)  # a SyntaxError's file and line come first
    return text.strip().removeprefix("gigq.errors.")


def _trace(error: BaseException) -> str:
    frames = error.__traceback__
    if frames is not None and frames.tb_frame.f_code is Caller.call.__code__:  # a reader learns nothing from it
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))
