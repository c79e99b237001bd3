"""A job may use alarms as it likes: its timeout comes, and what it leaves behind hits neither a job nor a caller."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import leftover_functions
import pytest
from calls import claim
from process_runs import ProcessRunner, job, result_of

from gigq import Job, JobQueue, SystemClock, Worker
from gigq.reports import Report
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.status import ExecutionStatus
from gigq.testing import drain

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarms")


@pytest.fixture(autouse=True)
def no_alarm() -> Iterator[None]:
    yield
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def reports_of(*functions: Callable[[], object], timeout: float | None = 0.05) -> list[Report]:
    """Call functions here and now, one after the other."""
    handlers = {str(number): function for number, function in enumerate(functions)}
    runner = InlineRunner(caller(Functions(handlers=handlers), clock=SystemClock(), result_limit=1000))
    runner.start([claim(function=name, timeout=timeout) for name in handlers])
    return [report for _, report in runner.ended()]


def spin() -> None:
    while True:
        pass


def cancel_every_alarm() -> None:
    signal.alarm(0)


def use_an_alarm_and_tidy_up() -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def use_an_alarm_over_and_over() -> None:
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)


def block_every_signal() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def handle_every_signal() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGTERM}:
        if number < signal.SIGRTMIN:
            signal.signal(number, lambda *_: None)


@pytest.fixture
def kept_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    yield
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.mark.usefixtures("kept_handlers")
@pytest.mark.parametrize(
    "act",
    [
        cancel_every_alarm,
        use_an_alarm_and_tidy_up,
        use_an_alarm_over_and_over,
        block_every_signal,
        handle_every_signal,
    ],
)
def test_a_timeout_comes_whatever_the_job_does_with_signals(act: Callable[[], None]) -> None:
    def function() -> None:
        act()
        spin()

    assert [report.status for report in reports_of(function)] == [ExecutionStatus.TIMEOUT]


def test_a_job_that_sleeps_after_it_has_used_an_alarm_is_stopped_in_its_sleep() -> None:
    def function() -> None:
        use_an_alarm_and_tidy_up()
        time.sleep(60)

    before = time.monotonic()
    assert [report.status for report in reports_of(function)] == [ExecutionStatus.TIMEOUT]
    assert time.monotonic() - before < 30


def test_an_alarm_that_a_job_leaves_behind_does_not_ring() -> None:
    leave = lambda: leftover_functions.leave_an_alarm(0.01)  # noqa: E731
    statuses = [report.status for report in reports_of(leave, lambda: leftover_functions.spin_for(0.03), timeout=None)]
    assert statuses == [ExecutionStatus.COMPLETED] * 2
    leftover_functions.spin_for(0.02)


def test_an_alarm_that_rings_at_the_moment_of_the_return_hits_only_the_job() -> None:
    def function() -> None:
        signal.signal(signal.SIGALRM, leftover_functions.ring)
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        leftover_functions.spin_for(0.00045)

    reports = reports_of(*[function] * 100, timeout=None)
    assert {report.status for report in reports} <= {ExecutionStatus.COMPLETED, ExecutionStatus.FAILED}
    assert {report.error for report in reports} <= {None, "RuntimeError: the alarm of another job"}


def run_one(way: str, queue: JobQueue, path: str) -> None:
    if way == "drain":
        assert drain(queue) == 1
    elif way == "process_one":
        with Worker(path) as worker:
            assert worker.process_one()
    else:
        claimed = queue.dequeue()
        assert claimed is not None
        queue.execute_job(claimed)


@pytest.fixture(params=["drain", "process_one", "execute_job"])
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def rung() -> Iterator[list[int]]:
    """The alarms that this process has heard; it handles them."""
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    yield rung
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_an_alarm_of_the_caller_keeps_its_time_and_its_handler(
    queue: JobQueue, path: str, way: str, rung: list[int]
) -> None:
    handler = signal.getsignal(signal.SIGALRM)
    queue.submit(Job("leave", leftover_functions.leave_an_alarm, {"seconds": 5}))
    signal.setitimer(signal.ITIMER_REAL, 60, 7)
    run_one(way, queue, path)
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert 20 < left < 60
    assert interval == 7
    assert signal.getsignal(signal.SIGALRM) is handler


def test_an_alarm_of_the_caller_that_is_due_meanwhile_rings_afterwards(
    queue: JobQueue, path: str, way: str, rung: list[int]
) -> None:
    job_id = queue.submit(Job("spin", leftover_functions.spin_for, {"seconds": 0.03}))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    run_one(way, queue, path)
    leftover_functions.spin_for(0.005)
    assert rung == [signal.SIGALRM]
    assert queue.get_result(job_id) == os.getpid()


@pytest.mark.parametrize("is_handled", [True, False])
def test_an_alarm_that_is_left_behind_in_a_child_process_does_not_hit_the_next_job(
    shared: ProcessRunner, is_handled: bool
) -> None:
    first = result_of(shared, job("leftover_functions:leave_an_alarm", seconds=0.01, is_handled=is_handled))
    assert result_of(shared, job("leftover_functions:spin_for", seconds=0.03)) == first


def test_an_alarm_that_a_job_sets_in_a_thread_does_not_end_its_worker(queue: JobQueue, path: str) -> None:
    first = queue.submit(Job("leave", leftover_functions.leave_an_alarm, {"seconds": 0.01, "is_handled": False}))
    second = queue.submit(Job("spin", leftover_functions.spin_for, {"seconds": 0.03}))
    with Worker(path, burst=True) as worker:
        worker.start()
    assert queue.get_result(first) == queue.get_result(second) == os.getpid()
