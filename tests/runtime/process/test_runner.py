"""A runner with a child process for each slot: which job runs where, and how many children there are."""

from __future__ import annotations

import os
import threading
import tracemalloc
from pathlib import Path

import functions
import pytest
from calls import claim
from process_runs import PATIENCE, Make, all_ended, job, report_of, result_of
from runtime.gates import Gate

from gigq import InvalidJob
from gigq.runtime.process.runner import ProcessRunner


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


def test_each_of_many_jobs_ends_once(make: Make) -> None:
    runner = make(slots=3)
    runner.start([job("echo", number, value=number) for number in range(500)])
    ended = all_ended(runner, 500)
    assert sorted((each.execution_id, report.result) for each, report in ended) == [(n, str(n)) for n in range(500)]
    assert (runner.free, list(runner.running)) == (3, [])


def test_a_handler_is_called_by_its_name(make: Make) -> None:
    runner = make(handlers={"sum": functions.add, "hello": functions.greet})
    assert result_of(runner, claim(function="sum", args="[1,2]")) == 3
    assert result_of(runner, claim(function="hello")) == "hello world"


def test_a_handler_that_cannot_be_imported_is_refused(make: Make) -> None:
    with pytest.raises(InvalidJob, match=r"the handler 'sum' cannot be sent.*lambda"):
        make(handlers={"sum": lambda: 1})


def test_a_child_must_be_allowed_at_least_one_job(make: Make) -> None:
    with pytest.raises(ValueError, match="jobs_per_child is 0"):
        make(jobs_per_child=0)


def test_large_results_and_params_pass_each_other(make: Make) -> None:
    runner = make(slots=2)
    large = [job("echo", number, value="y" * 900_000) for number in range(6)]
    runner.start([*large, *[job("letters", 6 + number, count=4_500_000) for number in range(3)]])
    sizes = [len(report.result or "") for _, report in all_ended(runner, 9)]
    assert sorted(sizes) == [900_002] * 6 + [4_500_002] * 3


def test_what_is_left_of_large_params_is_not_copied_each_time_that_a_part_is_sent(runner: ProcessRunner) -> None:
    result_of(runner, job("pid"))
    runner.start([job("count", text="x" * 10_000_000)])
    tracemalloc.start()
    try:
        ((_, report),) = all_ended(runner)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.result == "10000000"
    assert peak < 1_000_000


def test_a_result_that_is_too_large_is_refused(make: Make) -> None:
    report = report_of(make(result_limit=100), job("letters", count=100))
    assert (report.error_type, report.is_final) == ("NotSerializable", True)


def test_a_child_is_replaced_after_its_number_of_jobs(make: Make) -> None:
    runner = make(jobs_per_child=3)
    runner.start([job("pid", number) for number in range(6)])
    pids = [report.result for _, report in all_ended(runner, 6)]
    assert [pids.count(each) for each in dict.fromkeys(pids)] == [3, 3]


def test_the_number_of_slots_can_grow_and_shrink(make: Make) -> None:
    runner = make(slots=1)
    runner.slots = 2
    assert runner.free == 2
    runner.start([job("pid", number) for number in range(30)])
    all_ended(runner, 30)
    assert len(runner._children) == 2
    runner.slots = 1
    assert runner.free == 1
    assert len({result_of(runner, job("pid", number)) for number in range(5)}) == 1
    assert len(runner._children) == 1


def test_another_thread_can_end_a_wait(runner: ProcessRunner) -> None:
    waker = threading.Thread(target=runner.wake)
    waker.start()
    runner.wait(PATIENCE)
    waker.join()
    assert runner.ended() == []


def test_the_bell_ends_a_wait(runner: ProcessRunner) -> None:
    receiver, sender = os.pipe()
    os.write(sender, b".")
    assert runner.wait(PATIENCE, bell=receiver)
    os.close(receiver)
    os.close(sender)


def test_waking_a_closed_runner_does_nothing(runner: ProcessRunner) -> None:
    runner.wake()
    runner.close()
    runner.wake()
