"""The signals that stop a worker leave its children alone, and a child that is stopped shows where its job stood."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from process_runs import PATIENCE, Make, all_ended, job, report_of, result_of
from runtime.gates import Gate

from gigq import ManualClock
from gigq.runtime.process import reaper
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.signals import STOPPING
from gigq.status import ExecutionStatus


def test_a_signal_that_stops_workers_does_not_end_a_job_even_twice(
    runner: ProcessRunner, gate: Gate, tmp_path: Path
) -> None:
    until = tmp_path / "until"
    os.mkfifo(until)
    runner.start([job("wait_for_bytes", gate=gate.path, until=str(until))])
    pid = gate.entered(runner)
    for number in STOPPING * 2:
        os.kill(pid, number)
    until.write_bytes(b".")
    ((_, report),) = all_ended(runner)
    assert report.status is ExecutionStatus.COMPLETED, report.error
    assert result_of(runner, job("pid", 2)) == pid


def test_a_signal_does_not_end_a_child_that_is_starting(runner: ProcessRunner) -> None:
    runner.start([job("pid")])
    pid = runner._children[0].pid
    for number in STOPPING:
        os.kill(pid, number)
    ((_, report),) = all_ended(runner)
    assert report.result == str(pid)


def test_a_program_that_a_job_starts_can_be_ended_by_a_signal(runner: ProcessRunner) -> None:
    codes = [result_of(runner, job("end_another_process", n, number=int(number))) for n, number in enumerate(STOPPING)]
    assert codes == [-number for number in STOPPING]


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="this system does not show them")
def test_a_program_that_a_job_starts_finds_no_signal_blocked_or_ignored(runner: ProcessRunner) -> None:
    found = result_of(runner, job("dispositions_of_another_process"))
    stopping = sum(1 << (number - 1) for number in STOPPING)
    assert (found["SigBlk"], found["SigIgn"] & stopping) == (0, 0)


def test_a_job_that_handles_sigterm_has_time_for_that_when_it_is_stopped(
    make: Make, clock: ManualClock, gate: Gate, tmp_path: Path
) -> None:
    runner, written = make(clock=clock), tmp_path / "written"
    runner.start([job("clean_up_when_stopped", gate=gate.path, path=str(written), timeout=10)])
    gate.entered(runner)
    clock.advance(10)
    ((_, report),) = all_ended(runner)
    assert (report.status, report.error) == (ExecutionStatus.TIMEOUT, "timed out after 10 seconds")
    assert written.read_text() == "cleaned up\n"


def test_a_job_that_is_stopped_shows_where_it_stood(make: Make, clock: ManualClock, gate: Gate) -> None:
    runner = make(clock=clock)
    runner.start([job("fall", depth=2, gate=gate.path, timeout=10)])
    gate.entered(runner)
    clock.advance(10)
    ((_, report),) = all_ended(runner)
    assert report.traceback is not None
    lines = report.traceback.splitlines()
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "JobTimeout: timed out after 10 seconds")
    frames = [line.rpartition(", in ")[2] for line in lines if line.startswith("  File")]
    assert frames[:4] == ["fall", "fall", "fall", "hang"]
    assert "process_functions.py" in report.traceback
    assert "    hang(gate)" in lines, "the source"


def test_a_job_in_c_that_keeps_the_gil_shows_where_it_stood(make: Make, clock: ManualClock, gate: Gate) -> None:
    runner = make(clock=clock)
    runner.start([job("hang_in_c", gate=gate.path, timeout=10)])
    gate.entered(runner)
    clock.advance(10)
    assert runner.ended() == [], "what is asked for its stack is not waited for"
    while not (child := next(iter(runner._overdue)).child).stack():
        assert not child.has_hung_up
    clock.advance(reaper.PROMPT)
    ((_, report),) = runner.ended()
    assert report.traceback is not None
    assert "in hang_in_c" in report.traceback
    gate.wait_for_the_end()


def test_a_process_that_is_suspended_is_reported_and_killed_all_the_same(
    make: Make, clock: ManualClock, gate: Gate
) -> None:
    runner = make(clock=clock)
    runner.start([job("hang", gate=gate.path, timeout=10)])
    os.kill(gate.entered(runner), signal.SIGSTOP)
    clock.advance(10)
    assert runner.ended() == []
    clock.advance(reaper.PROMPT)
    ((_, report),) = runner.ended()
    assert (report.status, report.traceback) == (ExecutionStatus.TIMEOUT, None)
    gate.wait_for_the_end()


def test_an_execution_that_is_stopped_after_it_overran_is_not_reported(
    make: Make, clock: ManualClock, gate_of: Callable[[str], Gate]
) -> None:
    runner, gate = make(clock=clock), gate_of("gate")
    runner.start([job("hang", 1, gate=gate.path, timeout=10, stubborn=True)])
    gate.entered(runner)
    clock.advance(10)
    assert (runner.ended(), list(runner.running), list(runner.begun)) == ([], [1], [1])
    runner.stop([1])
    assert (runner.ended(), list(runner.running), runner.free) == ([], [], 1)
    clock.advance(PATIENCE)
    runner.ended()
    gate.wait_for_the_end()


def test_the_stack_of_an_earlier_job_is_not_taken_for_that_of_a_later_one(runner: ProcessRunner) -> None:
    first = report_of(runner, job("process_functions:sleep", 1, timeout=0.05))
    second = report_of(runner, job("functions:spin", 2, timeout=0.05))
    assert first.traceback is not None
    assert second.traceback is not None
    assert ("in sleep" in first.traceback, "in sleep" in second.traceback) == (True, False)
