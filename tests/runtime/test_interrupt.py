"""A function that is stopped gets the exception until it ends, has time to clean up, and nothing after it is hit."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import pytest
from calls import claim

from gigq import JobCancelled, JobTimeout, SystemClock
from gigq.claims import Claim
from gigq.reports import Report
from gigq.runtime.call import caller
from gigq.runtime.context import using
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.runtime.interrupt import Enforcer, Target, run
from gigq.runtime.runner import Ended
from gigq.runtime.threads import ThreadRunner
from gigq.status import ExecutionStatus

DONE = Report(status=ExecutionStatus.COMPLETED, result="1")
PATIENCE = 30.0


class Stopping:
    """A function in a thread of its own, which is stopped once it has called `begun`."""

    def __init__(
        self,
        function: Callable[[Stopping], object],
        *,
        grace: float = PATIENCE,
        kind: type[Target] = Target,
        enforcer: Enforcer | None = None,
    ) -> None:
        self.begun = threading.Event()
        self.function = function
        self.report: Report | None = DONE
        self.strikes = 0
        self.thread = threading.Thread(target=self._run)
        self._grace = grace
        self._kind = kind
        self._enforcer = enforcer or Enforcer(pause=0.002)
        self._has_target = threading.Event()
        self.thread.start()

    def stop(self, reason: type[BaseException] = JobTimeout) -> None:
        assert self._has_target.wait(PATIENCE)
        assert self.begun.wait(PATIENCE)
        assert self.target.stop(reason)
        assert not self.target.stop(reason), "only once"
        self._enforcer.watch(self.target)

    def ended(self) -> None:
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def _run(self) -> None:
        self.target = self._kind(threading.get_ident(), grace=self._grace)
        self._strike, self.target.strike = self.target.strike, self._count
        self._has_target.set()
        with using(self.target.state):
            self.report = run(self._call, claim(), self.target.state)

    def _count(self, reason: type[BaseException]) -> None:
        self.strikes += 1
        self._strike(reason)

    def _call(self, claim: Claim) -> Report:
        self.function(self)
        return DONE


def go_on_until(is_over: Callable[[], bool]) -> None:
    while not is_over():
        pass


def go_on(stopping: Stopping) -> None:
    stopping.begun.set()
    while True:
        pass


@pytest.mark.parametrize("reason", [JobTimeout, JobCancelled])
def test_a_function_that_swallows_the_exception_gets_it_again(reason: type[BaseException]) -> None:
    caught: list[BaseException] = []

    def swallow(stopping: Stopping) -> None:
        while len(caught) < 5:
            try:
                go_on(stopping)
            except BaseException as error:
                caught.append(error)

    stopping = Stopping(swallow)
    stopping.stop(reason)
    stopping.ended()
    # One may come just outside the `try`, and end the function sooner.
    assert {type(error) for error in caught} == {reason}
    assert stopping.strikes >= 2
    assert stopping.report is None, "what it returned is dropped"


@pytest.mark.parametrize("way", ["except", "finally", "with", "raising another"])
def test_a_function_that_cleans_up_is_not_disturbed(way: str) -> None:
    looks = []

    def clean_up(stopping: Stopping) -> None:
        while len(looks) < 10:  # the enforcer looks ten times more, and does nothing
            pass

    class Watched(Target):
        def look(self, pause: float = 0.002) -> float | None:
            looks.append(super().look(pause))
            return looks[-1]

    class Cleaning:
        def __init__(self, stopping: Stopping) -> None:
            self.stopping = stopping

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None:
            clean_up(self.stopping)

    def function(stopping: Stopping) -> None:
        if way == "except":
            try:
                go_on(stopping)
            except JobTimeout:
                clean_up(stopping)
        elif way == "finally":
            try:
                go_on(stopping)
            finally:
                clean_up(stopping)
        elif way == "with":
            with Cleaning(stopping):
                go_on(stopping)
        else:
            with Cleaning(stopping):
                try:
                    go_on(stopping)
                except BaseException as error:
                    raise ValueError("in other words") from error

    def calm(stopping: Stopping) -> None:
        with suppress(ValueError):
            function(stopping)

    stopping = Stopping(calm, kind=Watched)
    stopping.stop()
    stopping.ended()
    assert None not in looks[:10]


def test_a_function_that_cleans_up_for_too_long_gets_the_exception_again() -> None:
    caught = []

    def clean_up_for_ever(stopping: Stopping) -> None:
        try:
            go_on(stopping)
        finally:
            try:
                go_on_until(lambda: False)
            except JobTimeout as error:
                caught.append(error)
                raise

    stopping = Stopping(clean_up_for_ever, grace=0.02)
    stopping.stop()
    stopping.ended()
    assert len(caught) == 1


def test_an_event_loop_that_waits_is_woken_and_may_clean_up() -> None:
    seen: list[str] = []

    async def wait(stopping: Stopping) -> None:
        try:
            stopping.begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)
            seen.append("cleaned up")

    stopping = Stopping(lambda stopping: asyncio.run(wait(stopping)))
    stopping.stop()
    stopping.ended()
    assert seen == ["cleaned up"]
    assert stopping.report is None


def test_what_has_ended_is_not_stopped() -> None:
    stopping = Stopping(lambda stopping: None)
    stopping.ended()
    assert not stopping.target.stop(JobTimeout)
    assert stopping.target.look() is None
    assert stopping.report is DONE


def test_the_enforcer_ends_when_it_has_nothing_to_do_and_starts_again() -> None:
    looking: SimpleQueue[threading.Thread] = SimpleQueue()

    class Ended(Target):
        def look(self, pause: float = 0.0) -> None:
            looking.put(threading.current_thread())

    enforcer = Enforcer(idle=0.01)
    threads = []
    for _ in range(2):
        enforcer.watch(Ended(0))
        threads.append(looking.get(timeout=PATIENCE))
        threads[-1].join(PATIENCE)
        assert not threads[-1].is_alive()
    assert threads[0] is not threads[1]


def test_functions_that_have_ended_are_forgotten_and_one_that_is_stopped_is_looked_at_at_once() -> None:
    enforcer = Enforcer(pause=0.002, idle=60)
    for _ in range(1000):
        target = Target(threading.get_ident(), deadline=math.inf)
        target.state.has_ended = True
        enforcer.watch(target)
    assert len(enforcer._new) < 10

    def swallow_one(stopping: Stopping) -> None:
        with suppress(JobTimeout):
            go_on(stopping)
        go_on(stopping)

    stopping = Stopping(swallow_one, enforcer=enforcer)
    stopping.stop()
    stopping.ended()
    enforcer._idle = 0.0  # and end
    enforcer.wake()


def _almost_too_long(seconds: float) -> None:
    until = time.monotonic() + seconds
    go_on_until(lambda: time.monotonic() >= until)


def _swallowing(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            go_on_until(lambda: time.monotonic() >= until)
        except BaseException:
            continue


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("function", [_almost_too_long, _swallowing])
def test_deadlines_at_the_moment_of_the_end_hit_neither_the_slot_nor_its_next_job(
    function: Callable[[float], None],
) -> None:
    call = caller(Functions(handlers={"f": function}), clock=SystemClock(), result_limit=1000)
    runner = ThreadRunner(call, slots=2, clock=SystemClock())
    runner._enforcer = Enforcer(pause=0.0005)
    ended: list[Ended] = []
    number = 0
    until = time.monotonic() + 0.5
    while time.monotonic() < until or runner.running:
        if runner.free and time.monotonic() < until:
            number += 1
            runner.start([claim(execution_id=number, args="[0.001]", timeout=0.0011)])
        ended += runner.ended()
        runner.wait(0.0002)
    runner.close()
    for thread in threading.enumerate():
        if thread.name == "gigq-slot":
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert sorted(claim.execution_id for claim, _ in ended) == list(range(1, number + 1))
    assert {report.status for _, report in ended} <= {ExecutionStatus.COMPLETED, ExecutionStatus.TIMEOUT}


def stand_here(state: dict[str, Any]) -> None:
    state["begun"].set()
    go_on_until(lambda: False)  # where it stands


def trace_lines(report: Report) -> list[str]:
    assert report.traceback is not None
    return [line.strip() for line in report.traceback.splitlines()]


@pytest.mark.parametrize("is_main", [True, False])
def test_a_function_that_is_stopped_here_and_now_keeps_where_it_stood(is_main: bool) -> None:
    state = {"begun": threading.Event()}
    call = caller(Functions(handlers={"f": lambda: stand_here(state)}), clock=SystemClock(), result_limit=1000)

    def act() -> Report:
        runner = InlineRunner(call)
        runner.start([claim(timeout=0.02)])
        ((_, report),) = runner.ended()
        return report

    if is_main:
        lines = trace_lines(act())
    else:
        with ThreadPoolExecutor(1) as pool:
            lines = trace_lines(pool.submit(act).result(PATIENCE))
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith("in <lambda>"), "ours are left out"
    assert "go_on_until(lambda: False)  # where it stands" in lines
    assert lines[-1] == "JobTimeout: timed out after 0.02 seconds"


def test_a_function_that_is_stopped_in_a_slot_keeps_where_it_stood() -> None:
    state = {"begun": threading.Event()}
    call = caller(Functions(handlers={"f": lambda: stand_here(state)}), clock=SystemClock(), result_limit=1000)
    runner = ThreadRunner(call, slots=1, clock=SystemClock())
    runner.start([claim(timeout=0.05)])
    assert state["begun"].wait(PATIENCE)
    while not (ended := runner.ended()):
        runner.wait(0.01)
    runner.close()
    lines = trace_lines(ended[0][1])
    assert lines[1].endswith("in <lambda>"), "ours are left out"
    assert "go_on_until(lambda: False)  # where it stands" in lines
    assert lines[-1] == "JobTimeout: timed out after 0.05 seconds"
