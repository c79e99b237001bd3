"""What comes back from a function in a child process is what comes back from one in a thread."""

from __future__ import annotations

import os
from typing import Any

import pytest
from calls import claim
from process_runs import all_ended, job, report_of, result_of

from gigq import SystemClock
from gigq.clock import to_text
from gigq.runtime.process.runner import ProcessRunner
from gigq.status import ExecutionStatus


def test_a_job_runs_in_another_process_and_the_next_job_in_the_same_one(shared: ProcessRunner) -> None:
    pids = {result_of(shared, job("pid", number)) for number in range(20)}
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_jobs_of_one_slot_run_in_the_order_in_which_they_were_started(shared: ProcessRunner) -> None:
    shared.start([job("echo", number, value=number) for number in range(200)])
    assert [each.execution_id for each, _ in all_ended(shared, 200)] == list(range(200))


def test_a_failure_is_reported_with_its_error_and_traceback(shared: ProcessRunner) -> None:
    report = report_of(shared, job("functions:fail", message="no such city"))
    assert (report.status, report.error_type, report.is_final) == (ExecutionStatus.FAILED, "ValueError", False)
    assert report.error == "ValueError: no such city"
    assert report.traceback is not None
    assert "in fail" in report.traceback


@pytest.mark.parametrize(
    ("path", "params", "status", "error_type", "is_final"),
    [
        ("functions:give_up", {}, ExecutionStatus.FAILED, "GiveUp", True),
        ("functions:leave", {}, ExecutionStatus.FAILED, "SystemExit", False),
        ("functions:retry_later", {"delay": 5}, ExecutionStatus.RELEASED, None, False),
        ("functions:no_such_name", {}, ExecutionStatus.RELEASED, "AttributeError", False),
        ("functions:add", {}, ExecutionStatus.FAILED, "TypeError", True),
        ("os:urandom", {}, ExecutionStatus.FAILED, "TypeError", True),
        ("builtins:object", {}, ExecutionStatus.FAILED, "NotSerializable", True),
    ],
)
def test_every_way_to_end_is_reported(
    shared: ProcessRunner, path: str, params: dict[str, Any], status: ExecutionStatus, error_type: str, is_final: bool
) -> None:
    report = report_of(shared, job(path, **params))
    assert (report.status, report.error_type, report.is_final) == (status, error_type, is_final)


def test_a_function_knows_its_job(shared: ProcessRunner) -> None:
    asked = claim(function="functions:context", job_id="7", attempt=2, tags=("a", "b"), metadata='{"user":1}')
    expected = {"id": "7", "name": "job", "attempt": 2, "tags": ["a", "b"], "metadata": {"user": 1}}
    assert result_of(shared, asked) == expected


def test_the_start_is_reported(shared: ProcessRunner) -> None:
    before = to_text(SystemClock().now())
    report = report_of(shared, job("pid"))
    assert report.started_at is not None
    assert before <= report.started_at <= to_text(SystemClock().now())


@pytest.mark.parametrize(
    "value",
    ["x" * 1_000_000, "line\nend\r\n\u2028\x00", "ü€😀", {"deep": [[1], {"a": None}]}],
    ids=["long", "line ends", "unicode", "nested"],
)
def test_a_value_comes_back_as_it_was_sent(shared: ProcessRunner, value: object) -> None:
    assert result_of(shared, job("echo", value=value)) == value


def test_a_job_inherits_no_ignored_signal(shared: ProcessRunner) -> None:
    assert result_of(shared, job("signals")) == {"SIGINT": False, "SIGTERM": False}


def test_a_job_runs_in_the_workers_folder_and_with_empty_standard_input(shared: ProcessRunner) -> None:
    assert result_of(shared, job("place")) == [os.getcwd(), ["-c"], ""]


def test_a_fork_inside_a_job_sends_no_report(shared: ProcessRunner) -> None:
    forked = result_of(shared, job("fork_and_return", 1))
    assert result_of(shared, job("pid", 2)) not in (0, forked)


def test_the_last_progress_comes_with_the_report(shared: ProcessRunner) -> None:
    shared.start([job("output_functions:say_often", 1, count=20_000), job("pid", 2)])
    reports = {each.execution_id: report for each, report in all_ended(shared, 2)}
    assert reports[1].progress is not None
    assert (reports[1].progress.current, reports[1].progress.total) == (19_999, 20_000)
    assert reports[2].progress is None


def test_the_log_is_not_kept_unless_that_was_asked_for(shared: ProcessRunner) -> None:
    assert report_of(shared, job("output_functions:print_and_log")).log is None
