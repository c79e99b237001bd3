"""A child process for each slot: what goes there, what comes back, and how many there are."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import functions
import pytest
from process_runs import PATIENCE, Make, all_ended, job, report_of, result_of
from runtime.gates import Gate
from test_call import claim

from gigq import InvalidJob, SystemClock
from gigq.runtime.process.runner import ProcessRunner
from gigq.status import ExecutionStatus


def test_a_job_runs_in_another_process_and_the_next_in_the_same(runner: ProcessRunner) -> None:
    pids = {result_of(runner, job("pid", number)) for number in range(20)}
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_slots_are_taken_and_freed(make: Make, gate: Gate) -> None:
    runner = make(slots=2)
    assert (runner.free, runner.next_deadline) == (2, None)
    runner.start([job("hang", gate=gate.path)])
    assert (runner.free, list(runner.running)) == (1, [1])
    gate.entered(runner)
    assert list(runner.begun) == [1]
    runner.start([job("pid", 2), job("pid", 3)])
    assert runner.free == 0
    assert {ended.execution_id for ended, _ in all_ended(runner, 2)} == {2, 3}
    assert (runner.free, list(runner.running), list(runner.begun)) == (1, [1], [1])


def test_jobs_of_different_slots_run_at_the_same_time(make: Make, tmp_path: Path) -> None:
    there, back = str(tmp_path / "there"), str(tmp_path / "back")
    os.mkfifo(there)
    os.mkfifo(back)
    runner = make(slots=2)
    runner.start([job("first_says", 1, there=there, back=back), job("then_says", 2, there=there, back=back)])
    results = {ended.execution_id: report.result for ended, report in all_ended(runner, 2)}
    assert results == {1: '"and to you"', 2: '"hello"'}


@pytest.mark.parametrize("slots", [1, 3])
def test_each_of_many_jobs_ends_once(make: Make, slots: int) -> None:
    runner = make(slots=slots)
    runner.start([job("echo", number, value=number) for number in range(500)])
    ended = all_ended(runner, 500)
    assert sorted((each.execution_id, report.result) for each, report in ended) == [(n, str(n)) for n in range(500)]
    assert (runner.free, list(runner.running)) == (slots, [])


def test_jobs_of_one_slot_run_in_the_order_in_which_they_were_started(runner: ProcessRunner) -> None:
    runner.start([job("echo", number, value=number) for number in range(200)])
    assert [each.execution_id for each, _ in all_ended(runner, 200)] == list(range(200))


def test_a_failure_is_reported_as_from_a_thread(runner: ProcessRunner) -> None:
    report = report_of(runner, job("functions:fail", message="no such city"))
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
        ("functions:no_such_name", {}, ExecutionStatus.FAILED, "NotImportable", True),
        ("functions:add", {}, ExecutionStatus.FAILED, "TypeError", True),
        ("os:urandom", {}, ExecutionStatus.FAILED, "TypeError", True),
        ("builtins:object", {}, ExecutionStatus.FAILED, "NotSerializable", True),
    ],
)
def test_every_way_to_end_comes_through(
    runner: ProcessRunner, path: str, params: dict[str, Any], status: ExecutionStatus, error_type: str, is_final: bool
) -> None:
    report = report_of(runner, job(path, **params))
    assert (report.status, report.error_type, report.is_final) == (status, error_type, is_final)


def test_a_function_knows_its_job(runner: ProcessRunner) -> None:
    asked = claim(function="functions:context", job_id="7", attempt=2, tags=("a", "b"), metadata='{"user":1}')
    expected = {"id": "7", "name": "job", "attempt": 2, "tags": ["a", "b"], "metadata": {"user": 1}}
    assert result_of(runner, asked) == expected


def test_the_start_is_reported(runner: ProcessRunner) -> None:
    before = SystemClock().now()
    report = report_of(runner, job("pid"))
    assert report.started_at is not None
    assert before <= report.started_at <= SystemClock().now()


def test_a_handler_is_called_by_its_name(make: Make) -> None:
    runner = make(handlers={"sum": functions.add, "hello": functions.greet})
    assert result_of(runner, claim(function="sum", args="[1,2]")) == 3
    assert result_of(runner, claim(function="hello")) == "hello world"


def test_a_handler_that_cannot_be_imported_is_refused(make: Make) -> None:
    with pytest.raises(InvalidJob, match=r"the handler 'sum' cannot be sent.*lambda"):
        make(handlers={"sum": lambda: 1})


def test_no_child_runs_no_jobs(make: Make) -> None:
    with pytest.raises(ValueError, match="jobs_per_child is 0"):
        make(jobs_per_child=0)


@pytest.mark.parametrize("value", ["x" * 1_000_000, "line\nend\r\n\u2028\x00", "ü€😀", {"deep": [[1], {"a": None}]}])
def test_values_come_back_as_they_went(runner: ProcessRunner, value: object) -> None:
    assert result_of(runner, job("echo", value=value)) == value


def test_large_results_and_params_pass_each_other(make: Make) -> None:
    runner = make(slots=2)
    large = [job("echo", number, value="y" * 900_000) for number in range(6)]
    runner.start([*large, *[job("letters", 6 + number, count=4_500_000) for number in range(3)]])
    sizes = [len(report.result or "") for _, report in all_ended(runner, 9)]
    assert sorted(sizes) == [900_002] * 6 + [4_500_002] * 3


def test_a_result_too_large_is_refused(make: Make) -> None:
    report = report_of(make(result_limit=100), job("letters", count=100))
    assert (report.error_type, report.is_final) == ("NotSerializable", True)


def test_a_child_is_replaced_after_its_number_of_jobs(make: Make) -> None:
    runner = make(jobs_per_child=3)
    runner.start([job("pid", number) for number in range(9)])
    pids = [report.result for _, report in all_ended(runner, 9)]
    assert [pids.count(each) for each in dict.fromkeys(pids)] == [3, 3, 3]


def test_slots_may_become_more_and_fewer(make: Make) -> None:
    runner = make(slots=1)
    runner.slots = 3
    assert runner.free == 3
    runner.start([job("pid", number) for number in range(30)])
    all_ended(runner, 30)
    assert len(runner._children) == 3
    runner.slots = 1
    assert runner.free == 1
    assert len({result_of(runner, job("pid", number)) for number in range(5)}) == 1
    assert len(runner._children) == 1


def test_another_thread_may_wake_the_one_that_waits(runner: ProcessRunner) -> None:
    waker = threading.Thread(target=runner.wake)
    waker.start()
    runner.wait(PATIENCE)
    waker.join()
    assert runner.ended() == []


def test_the_bell_ends_a_wait(runner: ProcessRunner) -> None:
    receiver, sender = os.pipe()
    os.write(sender, b".")
    runner.wait(PATIENCE, bell=receiver)
    os.close(receiver)
    os.close(sender)


def test_a_call_after_the_close_does_no_harm(runner: ProcessRunner) -> None:
    runner.wake()
    runner.close()
    runner.wake()
