"""What a runner does where child processes cannot be started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from process_runs import Make, all_ended, job

from gigq import ManualClock
from gigq.runtime.process import spawner
from gigq.runtime.runner import Ended
from gigq.status import ExecutionStatus


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
