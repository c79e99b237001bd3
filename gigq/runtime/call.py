"""Turn a claim into a report: find the job's function, call it, and describe how that ended."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import copy_context
from functools import cache, partial
from typing import Any

from gigq.checks import Default
from gigq.claims import Claim
from gigq.clock import Clock, stamper
from gigq.codec import decode, encode
from gigq.paths import Function, takes
from gigq.reports import Report
from gigq.runtime import alarms
from gigq.runtime.capture import capture_logging
from gigq.runtime.context import current_log, enter
from gigq.runtime.durable import Opener, Tools
from gigq.runtime.forks import end_fork
from gigq.runtime.functions import Functions
from gigq.runtime.isolation import Isolation
from gigq.runtime.output import Log
from gigq.runtime.runner import Call
from gigq.runtime.verdict import report_on, was_not_entered
from gigq.runtime.watch import Watch

NOT_WANTED = Report.cancelled("cancelled before it began")._replace(has_begun=False)
"""The report of a job for which nobody waits any more."""


def caller(
    functions: Functions,
    *,
    clock: Clock,
    result_limit: int,
    default: Default | None = None,
    keeps_logs: bool = False,
    opened: Opener | None = None,
    watch: Watch | None = None,
) -> Call:
    """Return a function that turns claims into reports.

    Args:
        functions: what jobs may call.
        clock: where time comes from.
        result_limit: the most bytes that a result may have as JSON.
        default: converts what JSON lacks in a result, as for `json.dumps`.
        keeps_logs: whether reports include what the function has logged in its thread and context.
        opened: opens the file of the queue for an execution whose function asks for it; None if there is none.
        watch: is asked before each call, and told what it has raised.
    """
    if keeps_logs:
        capture_logging(current_log)
    found = Caller(
        functions.find, clock=clock, result_limit=result_limit, default=default, keeps_logs=keeps_logs, opened=opened,
        watch=watch,
    )  # fmt: skip
    return found.call


class Caller:
    """Calls the functions of jobs. Safe to use from many threads.

    Args:
        find: returns a function by the name that a job calls it by; asked once for each name.
        clock, result_limit, default, keeps_logs, opened, watch: as for `caller`.
    """

    __slots__ = ("_find", "_isolation", "_new_log", "_now", "_tools", "_watch", "_written")

    def __init__(
        self,
        find: Callable[[str], Function],
        *,
        clock: Clock,
        result_limit: int,
        default: Default | None = None,
        keeps_logs: bool = False,
        opened: Opener | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._isolation = Isolation()
        self._find = cache(partial(self._isolation.find, partial(_found, find)))
        self._now = stamper(clock)
        self._written = partial(encode, name="result", limit=result_limit, default=default)
        self._new_log = Log if keeps_logs else None
        self._tools: Tools | None = None if opened is None else Tools(opened, self._written, self._now, default)
        self._watch = watch

    def call(self, claim: Claim) -> Report:
        """Call a job's function, and report how that ended. No exception of the function gets through.

        What the function binds in context variables, and the alarms that it sets, end with it.
        """
        return copy_context().run(self._call, claim)

    def _call(self, claim: Claim) -> Report:
        started_at, handler = self._now(), alarms.handler()
        output = enter(claim, started_at, self._new_log and self._new_log(), self._tools)
        function: Function | None = None
        is_final = False
        try:
            function = self._find(claim.function)
            is_final = True  # only a failure of the function or its import can be mended by another attempt
            args, params = decode(claim.args), decode(claim.params)
            if claim.pass_parent_results is not False:  # as it is for a job that was submitted without parents
                _add_parent_results(params, claim, function)
            self._isolation.prepare()
            is_final = False
            if self._watch is not None and not self._watch.begins(claim):
                return output.add_to(NOT_WANTED)
            value = _called(function, args, params, handler)
            is_final = True
            report = Report.completed(self._written(value), started_at=started_at)
            if output.run is not None:
                is_final = False
                report = output.run.finished(output.add_to(report))
        except BaseException as error:
            alarms.reset(handler)  # again: an alarm may have rung at just that moment
            is_final = is_final or was_not_entered(error)
            report = report_on(error, claim, is_final=is_final, is_found=function is not None)
            report = report._replace(started_at=started_at)
            if self._watch is not None:
                report = self._watch.raised(error, claim, report)
        output.has_ended = True
        if output.run is not None:
            output.run.close()
        return output.add_to(report)


def _called(function: Function, args: list[Any], params: dict[str, Any], handler: object) -> object:
    """Call a function, and end a fork of it and an alarm of it together with it.

    Args:
        handler: what handled alarms before.
    """
    process = os.getpid()
    try:
        return function(*args, **params)
    finally:
        if os.getpid() != process:
            end_fork()
        alarms.reset(handler)


def _found(find: Callable[[str], Function], name: str) -> Function:
    process = os.getpid()
    try:
        return find(name)
    finally:
        if os.getpid() != process:  # by a module, while it was imported
            end_fork()


def _add_parent_results(params: dict[str, Any], claim: Claim, function: Function) -> None:
    """Pass the results of the job's parents: none, where these were deleted since it was submitted."""
    is_forced = claim.pass_parent_results and claim.parent_results is not None
    if is_forced or takes(function, "parent_results"):
        params["parent_results"] = decode(claim.parent_results or "{}")
