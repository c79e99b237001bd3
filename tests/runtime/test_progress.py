"""A runner sees the progress that its functions report."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from calls import claim, report_of
from process_runs import PATIENCE, job
from runtime.gates import Gate

from gigq import JobTimeout, SystemClock, current_job
from gigq.claims import Claim
from gigq.reports import Progress, Report
from gigq.runtime.call import caller
from gigq.runtime.functions import Functions
from gigq.runtime.inline import InlineRunner
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.threads import ThreadRunner
from gigq.status import ExecutionStatus


def say(*values: Any, **options: Any) -> Callable[[], None]:
    return lambda: current_job().progress(*values, **options)


def test_a_report_includes_the_last_progress() -> None:
    def function() -> None:
        for number in range(1000):
            current_job().progress(number, 1000, f"number {number}")

    assert report_of(function).progress == Progress(999, 1000, "number 999")


def test_a_failure_includes_the_progress_and_a_silent_function_has_none() -> None:
    def function() -> None:
        current_job().progress(3)
        raise ValueError("no")

    report = report_of(function)
    assert (report.status, report.progress) == (ExecutionStatus.FAILED, Progress(3))
    assert report_of(lambda: None).progress is None


@pytest.mark.parametrize(
    ("current", "total", "percentage"),
    [
        (0, 4, 0.0), (1, 4, 25.0), (4, 4, 100.0), (5, 4, 100.0), (0.5, 2, 25.0), (1, None, None), (1, 3, 33.3),
        (99_999, 100_000, 99.9), (57, 100, 57.0), (1e300, 1e-300, 100.0), (10**299, 10**300, 10.0),
        (0, 0, 100.0), (1, 0, 100.0),
    ],
)  # fmt: skip
def test_the_percentage_reaches_100_only_at_the_end(
    current: float, total: float | None, percentage: float | None
) -> None:
    assert Progress(current, total).as_dict()["percentage"] == percentage


@pytest.mark.parametrize(
    ("values", "error_type", "reason"),
    [
        ((-1,), "ValueError", "current is -1"),
        ((math.nan,), "ValueError", "current is nan"),
        ((math.inf,), "ValueError", "current is inf"),
        ((10**400,), "ValueError", "current is larger"),
        ((1, -5.5), "ValueError", "total is -5.5"),
        ((1, math.nan), "ValueError", "total is nan"),
        (("1",), "TypeError", "current is '1'"),
        ((None,), "TypeError", "current is None"),
        ((True,), "TypeError", "current is True"),
        ((1j,), "TypeError", "current is 1j"),
        ((1, "10"), "TypeError", "total is '10'"),
        ((Decimal(1),), "TypeError", "current is Decimal"),
        ((1, 2, 3), "TypeError", "message is 3"),
        ((1, 2, "x" * 501), "ValueError", "message has 501 characters"),
    ],
)
def test_a_progress_that_makes_no_sense_fails_the_job(values: tuple[Any, ...], error_type: str, reason: str) -> None:
    report = report_of(say(*values))
    assert (report.status, report.error_type, report.progress) == (ExecutionStatus.FAILED, error_type, None)
    assert report.error is not None
    assert reason in report.error
    assert "\n" not in report.error


def test_progress_may_be_any_real_number() -> None:
    assert report_of(say(0, 0)).progress == Progress(0, 0)  # of an empty list
    assert report_of(say(Fraction(1, 2), Fraction(2))).progress == Progress(0.5, 2.0)


def test_text_that_utf_8_cannot_hold_is_escaped() -> None:
    assert Progress(1, None, "\ud800").as_dict()["message"] == "\\ud800"


def ended(runner: ThreadRunner) -> list[tuple[Claim, Report]]:
    while not (found := runner.ended()):
        runner.wait(PATIENCE)
    return found


def test_the_progress_of_a_thread_can_be_read_while_it_runs_and_each_job_begins_with_none() -> None:
    said, may_go_on = threading.Semaphore(0), threading.Semaphore(0)

    def function(current: int) -> None:
        if current:
            current_job().progress(current, 10)
        said.release()
        may_go_on.acquire()

    call = caller(Functions(handlers={"f": function}), clock=SystemClock(), result_limit=100)
    runner = ThreadRunner(call, slots=1, clock=SystemClock())
    runner.start([claim(execution_id=7, params='{"current":3}')])
    said.acquire()
    assert runner.progress() == {7: Progress(3, 10)}
    may_go_on.release()
    ((_, report),) = ended(runner)
    assert (report.progress, runner.progress()) == (Progress(3, 10), {})
    runner.start([claim(execution_id=8, params='{"current":0}')])
    said.acquire()
    assert runner.progress() == {}
    may_go_on.release()
    ((_, report),) = ended(runner)
    assert report.progress is None
    runner.close()


def test_the_progress_of_a_thread_that_overruns_is_kept() -> None:
    def function() -> None:
        current_job().progress(1, 2)
        while True:
            pass

    call = caller(Functions(handlers={"f": function}), clock=SystemClock(), result_limit=100)
    runner = ThreadRunner(call, slots=1, clock=SystemClock())
    runner.start([claim(timeout=0.2)])
    while not (found := runner.ended()):
        runner.wait(0.01)
    assert [(report.status, report.progress) for _, report in found] == [(ExecutionStatus.TIMEOUT, Progress(1, 2))]
    runner.close()


def test_a_job_that_has_ended_cannot_change_the_progress_of_the_next_one() -> None:
    kept = []

    def function(stays: bool) -> None:
        if stays:
            kept.append(current_job())
        else:
            kept[0].progress(99)

    call = caller(Functions(handlers={"f": function}), clock=SystemClock(), result_limit=100)
    assert call(claim(params='{"stays":true}')).progress is None
    assert call(claim(execution_id=2, params='{"stays":false}')).progress is None


def test_inline_progress_can_be_read_by_another_thread_and_is_kept_at_a_deadline() -> None:
    heard: list[object] = []

    def function() -> None:
        current_job().progress(1)
        thread = threading.Thread(target=lambda: heard.append(runner.progress()))
        thread.start()
        thread.join()
        raise JobTimeout

    runner = InlineRunner(caller(Functions(handlers={"f": function}), clock=SystemClock(), result_limit=100))
    runner.start([claim(execution_id=4)])
    ((_, report),) = runner.ended()
    assert heard == [{4: Progress(1)}]
    assert (report.status, report.progress) == (ExecutionStatus.TIMEOUT, Progress(1))
    assert runner.progress() == {}


def test_the_progress_of_a_child_process_can_be_read_while_it_runs(runner: ProcessRunner, gate: Gate) -> None:
    runner.start([job("output_functions:say_and_hang", 5, gate=gate.path)])
    deadline = SystemClock().monotonic() + PATIENCE
    while not runner.progress():
        assert SystemClock().monotonic() < deadline
        runner.wait(1)
        runner.ended()
    assert runner.progress() == {5: Progress(1, 2, "half")}
