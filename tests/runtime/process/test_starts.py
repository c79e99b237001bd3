"""What a runner does where child processes cannot be started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from process_runs import Make, all_ended, job, result_of

from gigq import ManualClock, Worker
from gigq.runtime.process import launching, spawner
from gigq.runtime.process.runner import ProcessRunner
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus
from gigq.worker.options import Mode


@pytest.mark.parametrize("program", ["/no/such/python", "/bin/false"])
def test_where_no_child_can_be_started_jobs_are_given_back_and_the_runner_does_not_spin(
    make: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(sys, "prefix", "/no/such/folder")
    monkeypatch.setattr(sys, "base_prefix", "/no/such/folder")
    runner = make(slots=4, clock=clock)
    runner.start([job("pid", 1), job("pid", 2)])
    ended: list[Ended] = []
    starts = 0
    while not ended:
        runner.wait(0.01)
        ended = runner.ended()
        clock.advance(1)
        starts += 1
        assert starts < 1000
    assert [claim.execution_id for claim, _ in ended] == [1, 2]
    assert {(report.status, report.has_begun) for _, report in ended} == {(ExecutionStatus.RELEASED, False)}
    assert str(ended[0][1].error).startswith("given back: its worker could start no process: ")
    assert (runner.free, runner.is_stuck) == (0, True)
    assert runner.why_stuck.startswith("no child process can be started: ")


def test_in_a_program_that_embeds_python_children_run_the_python_of_its_prefix(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/uwsgi")
    assert result_of(make(), job("echo", value=1)) == 1


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_frozen_application_has_no_child_processes(path: str, monkeypatch: pytest.MonkeyPatch, mode: Mode) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    if mode == "thread":
        Worker(path, mode=mode).close()
        return
    with pytest.raises(ValueError, match=r"frozen; use mode='thread'.*multiprocessing.freeze_support\(\)"):
        Worker(path, mode=mode)


def test_what_was_started_in_the_place_of_a_child_starts_none(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(launching.MARK, "1")
    with pytest.raises(ValueError, match="starts this application again instead of Python"):
        Worker(path, mode="process")


def test_a_job_does_not_find_the_mark_of_a_child_in_its_environment(runner: ProcessRunner) -> None:
    assert result_of(runner, job("environment", name=launching.MARK)) is None


def test_a_runner_recovers_when_children_can_be_started_again(
    make: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = make(clock=clock)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/no/such/python")
        runner.start([job("pid", 1)])
        assert (runner.free, list(runner.running)) == (0, [1])
    clock.advance(1)
    assert len(all_ended(runner)) == 1
    assert runner.free == 1


def test_a_child_that_does_not_become_ready_is_killed(
    make: Make, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 3600\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    runner = make(clock=clock)
    runner.start([job("pid", 1)])
    ended = []
    for _ in range(3):
        clock.advance(spawner.START_LIMIT)
        ended += runner.ended()
        clock.advance(1)
        ended += runner.ended()
    ((_, report),) = ended
    assert report.error == "given back: its worker could start no process: it was not ready in time"
