"""One function here and now, stopped at its deadline in the main thread and in any other."""

from __future__ import annotations

import contextvars
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import functions
import pytest
from calls import claim

from gigq import JobCancelled, JobTimeout, SystemClock, current_job
from gigq.claims import Claim
from gigq.reports import Report
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.runtime.runner import Call
from gigq.status import ExecutionStatus

Here = Callable[[Callable[[], Report]], Report]


def run(function: Callable[..., object], **fields: object) -> Report:
    call = caller(Functions(handlers={"f": function}), clock=SystemClock(), result_limit=1000)
    return called(call, claim(function="f", **fields))


def called(call: Call, claim: Claim) -> Report:
    runner = InlineRunner(call)
    runner.start([claim])
    ((_, report),) = runner.ended()
    return report


@pytest.fixture(params=["main thread", "other thread"])
def here(request: pytest.FixtureRequest) -> Here:
    """Runs something in the main thread, or in another one."""

    def elsewhere(act: Callable[[], Report]) -> Report:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(act).result(30)

    return (lambda act: act()) if request.param == "main thread" else elsewhere


def test_a_function_that_returns_in_time_is_not_disturbed(here: Here) -> None:
    assert here(lambda: run(functions.add, args="[1]", timeout=60.0)).result == "1"
    assert here(lambda: run(functions.add, args="[1]", timeout=None)).result == "1"


def test_a_function_that_overruns_is_stopped_and_reported_as_timed_out(here: Here) -> None:
    report = here(lambda: run(functions.spin, timeout=0.05))
    assert (report.status, report.error) == (ExecutionStatus.TIMEOUT, "timed out after 0.05 seconds")


def test_a_function_that_hides_the_timeout_is_still_reported_as_timed_out(here: Here) -> None:
    def hide() -> str:
        with suppress(JobTimeout):
            functions.spin()
        return "nothing happened"

    assert here(lambda: run(hide, timeout=0.05)).status is ExecutionStatus.TIMEOUT


def test_a_function_that_handles_every_exception_of_each_item_is_stopped(here: Here) -> None:
    def import_items() -> None:
        for _ in range(1000):
            with suppress(Exception):
                functions.spin()

    assert here(lambda: run(import_items, timeout=0.05)).status is ExecutionStatus.TIMEOUT


def test_a_thread_that_a_job_has_started_learns_of_the_timeout(here: Here) -> None:
    stopped_by: list[type[BaseException]] = []
    threads: list[threading.Thread] = []

    def start_a_thread() -> None:
        context = contextvars.copy_context()
        threads.append(threading.Thread(target=context.run, args=(work,)))
        threads[0].start()
        threads[0].join(30)

    def work() -> None:
        try:
            while True:
                current_job().check()
        except JobTimeout as error:
            stopped_by.append(type(error))

    assert here(lambda: run(start_a_thread, timeout=0.3)).status is ExecutionStatus.TIMEOUT
    threads[0].join(30)
    assert stopped_by == [JobTimeout]


def test_a_signal_that_stops_a_job_is_not_swallowed_by_it() -> None:
    swallowed: list[BaseException] = []

    def swallow() -> None:
        threading.Timer(0.01, signal.raise_signal, [signal.SIGTERM]).start()
        while not swallowed:
            try:
                functions.spin()
            except BaseException as error:
                swallowed.append(error)
        functions.spin()

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    runner = InlineRunner(caller(Functions(handlers={"f": swallow}), clock=SystemClock(), result_limit=1000))
    runner.start([claim(function="f", timeout=None)])
    signal.signal(signal.SIGTERM, before)
    ((_, report),) = runner.ended()
    assert (report.status, runner.signal) == (ExecutionStatus.RELEASED, signal.SIGTERM)
    assert [type(error) for error in swallowed] == [JobCancelled]


def test_a_sleep_in_the_main_thread_is_cut_short() -> None:
    before = time.monotonic()
    assert run(lambda: time.sleep(60), timeout=0.05).status is ExecutionStatus.TIMEOUT
    assert time.monotonic() - before < 30


def test_the_signal_handler_of_the_application_is_restored() -> None:
    def mine(number: int, frame: object) -> None:
        pass

    before = signal.signal(signal.SIGALRM, mine)
    try:
        run(functions.spin, timeout=0.01)
        assert signal.getsignal(signal.SIGALRM) is mine
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_deadline_at_the_moment_of_the_return_hits_only_the_job(here: Here) -> None:
    """The exception may be raised after the function has returned; it must never leave the runner."""

    def close_call(claim: Claim) -> Report:
        deadline = time.monotonic() + 0.001
        while time.monotonic() < deadline:
            pass
        return Report(status=ExecutionStatus.COMPLETED, result="1")

    def many() -> Report:
        statuses = {called(close_call, claim(timeout=0.001)).status for _ in range(300)}
        assert statuses <= {ExecutionStatus.COMPLETED, ExecutionStatus.TIMEOUT}
        return Report(status=ExecutionStatus.COMPLETED)

    here(many)
    assert threading.current_thread() is threading.main_thread()
